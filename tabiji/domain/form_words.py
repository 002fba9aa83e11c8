"""What forms say by themselves. English and Japanese are there; a form of another language brings its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Words:
    """What every form says, in one language. `{label}` is the field's; other names in braces say what they are."""

    required: str
    must_agree: str
    too_long: str
    unreadable: str
    no_address: str
    no_phone: str
    no_number: str
    no_whole_number: str
    too_small: str
    too_large: str
    no_option: str
    please_check: str
    optional: str
    choose: str
    leave_empty: str
    not_you: str
    ask_all: str
    once_more: str
    slow_down: str
    try_again: str
    not_here: str
    download: str
    onward: str
    back: str
    error: str


ENGLISH: Final = Words(
    required="Please fill in: {label}.",
    must_agree="Please tick: {label}",
    too_long="{label} may have at most {longest} characters.",
    unreadable="{label} contains characters we cannot keep.",
    no_address="{label} does not look like an e-mail address, for example name@example.com.",
    no_phone="{label} does not look like a telephone number, for example 03-1234-5678.",
    no_number="{label} must be a number, for example 100.",
    no_whole_number="{label} must be a whole number, for example 100.",
    too_small="{label} must be at least {least}.",
    too_large="{label} must be at most {most}.",
    no_option="Please choose one of the answers offered: {label}.",
    please_check="Please check:",
    optional="optional",
    choose="Please choose",
    leave_empty="Leave this empty",
    not_you="We know this link.",
    ask_all="Not you? Show the whole form",
    once_more="Please look it over and send it once more.",
    slow_down="Many forms were sent from where you are. Please wait a minute, then send it once more.",
    try_again="We could not save that just now. Please send it once more in a minute.",
    not_here="There is no such form.",
    download="Download {name}",
    onward="Continue",
    back="Back to the form",
    error="Error",
)

JAPANESE: Final = Words(
    required="「{label}」を入力してください。",
    must_agree="チェックを入れてください：{label}",
    too_long="「{label}」は{longest}文字以内で入力してください。",
    unreadable="「{label}」に使用できない文字が含まれています。",
    no_address="「{label}」をメールアドレスの形式で入力してください（例：name@example.com）。",
    no_phone="「{label}」を電話番号の形式で入力してください（例：03-1234-5678）。",
    no_number="「{label}」は数字で入力してください（例：100）。",
    no_whole_number="「{label}」は整数で入力してください（例：100）。",
    too_small="「{label}」は{least}以上で入力してください。",
    too_large="「{label}」は{most}以下で入力してください。",
    no_option="「{label}」は選択肢から選んでください。",
    please_check="次の項目をご確認ください。",
    optional="任意",
    choose="選択してください",
    leave_empty="この欄には何も入力しないでください",
    not_you="メールのリンクから開かれたため、一部の項目を省略しています。",
    ask_all="ご本人でない場合は、すべての項目を表示",
    once_more="内容をご確認のうえ、もう一度送信してください。",
    slow_down="お使いの環境からの送信が続いています。1分ほど待ってから、もう一度送信してください。",
    try_again="ただいま保存できませんでした。1分ほど待ってから、もう一度送信してください。",
    not_here="このフォームは見つかりませんでした。",
    download="{name} をダウンロード",
    onward="次へ進む",
    back="フォームに戻る",
    error="エラー",
)

WORDS: Final[Mapping[str, Words]] = {"en": ENGLISH, "ja": JAPANESE}
"""By language tag."""
