"""What the pages say on which people decide what they are sent, in English and Japanese."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class ConsentWords:
    """Of one language. `{topic}` is a topic's title."""

    lang: str
    choose: str
    choose_intro: str
    choose_for: str
    save: str
    saved: str
    nothing_new: str
    asked_for: str
    no_topics: str
    stop_all_title: str
    stop_all_words: str
    stop_all: str
    stopped_all: str
    back: str
    leave: str
    leave_words: str
    leave_button: str
    less: str
    left: str
    left_words: str
    left_all_words: str
    confirm: str
    confirm_words: str
    confirm_button: str
    confirm_else: str
    confirmed: str
    confirmed_words: str
    already: str
    already_words: str
    used: str
    used_words: str
    expired: str
    expired_words: str
    new_link: str
    on_its_way: str
    on_its_way_words: str
    broken: str
    broken_words: str
    try_again: str
    try_again_words: str
    slow_down: str


ENGLISH: Final = ConsentWords(
    lang="en",
    choose="What may we write to you about?",
    choose_intro="Tick what you want to get, and save. You can change it at any time.",
    choose_for="Topics",
    save="Save",
    saved="Saved. From now on this is what you get.",
    nothing_new="Nothing has changed.",
    asked_for="You have asked for this and not confirmed it yet. Ticking it confirms it.",
    no_topics="There is nothing to choose.",
    stop_all_title="None of it",
    stop_all_words="You will get nothing more of this kind. What you order or ask for is still answered.",
    stop_all="Unsubscribe from everything",
    stopped_all="You are unsubscribed from everything.",
    back="Choose what you get",
    leave="Stop these mails?",
    leave_words="You will get no more mails from us about: {topic}.",
    leave_button="Unsubscribe",
    less="Choose what you get instead",
    left="You are unsubscribed",
    left_words="You will get no more mails from us about: {topic}.",
    left_all_words="You will get no more mails from us but answers to what you order or ask for.",
    confirm="Please confirm",
    confirm_words="Somebody, we hope you, has asked us to write to this address about: {topic}.",
    confirm_button="Yes, write to me",
    confirm_else="Was it not you? Then close this page: nothing is sent to you.",
    confirmed="Thank you",
    confirmed_words="It is confirmed: {topic}.",
    already="You have confirmed this",
    already_words="You are on the list: {topic}. There is nothing more to do.",
    used="This link has been used",
    used_words="It confirms nothing any more: you have stopped these mails since ({topic}). To get them again, tick "
    "them on the page with your choices, or fill in the form once more.",
    expired="This link has expired",
    expired_words="Links like this one are good for a while only. We can send a new one to your address.",
    new_link="Send me a new link",
    on_its_way="Please look into your mails",
    on_its_way_words="If we know this address, a new link is on its way to it. It may take a minute. If you have asked "
    "before, the mail you have got already holds a good link.",
    broken="Nothing is here",
    broken_words="This link is broken. Mail programs sometimes cut long links in two.",
    try_again="Please try again",
    try_again_words="We could not save that just now. Please try again in a minute.",
    slow_down="This was asked many times from where you are. Please try again in a minute.",
)
JAPANESE: Final = ConsentWords(
    lang="ja",
    choose="お送りする内容を選ぶ",
    choose_intro="受け取りたいものにチェックを入れて保存してください。いつでも変更できます。",
    choose_for="お知らせの種類",
    save="保存する",
    saved="保存しました。今後はこの内容でお送りします。",
    nothing_new="変更はありません。",
    asked_for="お申し込みの確認がまだ済んでいません。チェックを入れて保存すると確認が完了します。",
    no_topics="選べるお知らせはありません。",
    stop_all_title="すべて停止する",
    stop_all_words="今後、この種のメールをお送りしません。ご注文やお問い合わせへのご連絡は引き続きお届けします。",
    stop_all="すべての配信を停止する",
    stopped_all="すべての配信を停止しました。",
    back="お送りする内容を選ぶ",
    leave="このメールの配信を停止しますか?",
    leave_words="今後、次のメールをお送りしません:{topic}",
    leave_button="配信を停止する",
    less="停止せずに、受け取る内容を選ぶ",
    left="配信を停止しました",
    left_words="今後、次のメールをお送りしません:{topic}",
    left_all_words="今後は、ご注文やお問い合わせへのご連絡のほかはメールをお送りしません。",
    confirm="ご確認ください",
    confirm_words="このアドレスへの次のメールの配信をお申し込みいただきました:{topic}",
    confirm_button="受け取りを確認する",
    confirm_else="お心当たりがない場合は、このページを閉じてください。メールは届きません。",
    confirmed="ありがとうございます",
    confirmed_words="ご確認が完了しました:{topic}",
    already="ご確認は済んでいます",
    already_words="すでに登録されています:{topic}。お手続きは不要です。",
    used="このリンクは使用済みです",
    used_words="その後に配信を停止されたため({topic})、このリンクは無効です。再開するには、受け取る内容を選ぶページでチェックを入れるか、"
    "もう一度フォームからお申し込みください。",
    expired="リンクの有効期限が切れました",
    expired_words="このリンクには有効期限があります。ご登録のアドレスに新しいリンクをお送りできます。",
    new_link="新しいリンクを送る",
    on_its_way="メールをご確認ください",
    on_its_way_words="ご登録があれば、そのアドレスに新しいリンクをお送りします。少し時間がかかることがあります。"
    "先にお申し込みの場合は、すでに届いたメールのリンクが使えます。",
    broken="ページがありません",
    broken_words="リンクが正しくありません。長いリンクはメールソフトで途中で切れることがあります。",
    try_again="もう一度お試しください",
    try_again_words="ただいま保存できませんでした。しばらくしてからもう一度お試しください。",
    slow_down="短い間に何度も操作がありました。しばらくしてからもう一度お試しください。",
)
WORDS: Final = {words.lang: words for words in (ENGLISH, JAPANESE)}


def words_in(locale: str | None, accepted: str = "") -> ConsentWords:
    """In the person's language, else in the first there is of those their browser asks for, else English.

    Args:
        locale: The contact's.
        accepted: Their browser's Accept-Language.
    """
    for tag in (locale or "", *_preferred(accepted)):
        if (found := WORDS.get(tag.replace("_", "-").partition("-")[0].lower())) is not None:
            return found
    return ENGLISH


def _preferred(accepted: str) -> Iterable[str]:
    weighed: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        tag, _, weight = part.partition(";")
        try:
            value = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if value > 0:
            weighed.append((-value, tag.strip()))
    return [tag for _, tag in sorted(weighed, key=lambda one: one[0])]
