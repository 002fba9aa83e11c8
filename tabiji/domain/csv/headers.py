"""What the title of a column means, in English and Japanese."""

from __future__ import annotations

import re
import unicodedata

_FILLING = re.compile(r"[\s_\-・./()（）※*:：]+")

# Field, or attribute with the kind it is read as.
_MEANINGS: dict[str, str] = {
    "email": (
        "email,e-mail,mail,email address,e-mail address,mail address,メールアドレス,メール,eメール,"
        "eメールアドレス,電子メール,電子メールアドレス,mailaddress,アドレス,emailaddress,"
        "連絡先メールアドレス,correo,courriel"
    ),
    "user_id": (
        "user id,userid,customer id,customerid,member id,会員番号,会員id,顧客番号,顧客id,"
        "顧客コード,ユーザーid,ユーザid,お客様番号,customer number,external id"
    ),
    "timezone": "timezone,time zone,tz,タイムゾーン,時間帯",
    "locale": "locale,language,lang,言語,ロケール,preferred language",
    "tags": "tags,tag,タグ,labels,ラベル",
    "lists": "lists,list,リスト,リスト名",
    "full_name": (
        "name,full name,fullname,氏名,名前,お名前,顧客名,会員名,姓名,担当者名,contact name,ご担当者名,担当者"
    ),
    "full_kana": (
        "フリガナ,ふりがな,カナ,かな,氏名カナ,氏名かな,氏名フリガナ,氏名ふりがな,名前カナ,"
        "お名前フリガナ,カナ氏名,name kana,kana,読み,よみがな,ヨミガナ"
    ),
    "last_name": "last name,lastname,surname,family name,familyname,姓,苗字,名字,氏,nachname,nom",
    "first_name": "first name,firstname,given name,givenname,forename,名,下の名前,vorname,prénom",
    "last_name_kana": "セイ,せい,姓カナ,姓かな,姓フリガナ,姓ふりがな,last name kana,カナ姓",
    "first_name_kana": "メイ,めい,名カナ,名かな,名フリガナ,名ふりがな,first name kana,カナ名",
    "phone": (
        "phone,telephone,tel,phone number,telephone number,電話番号,電話,tel番号,連絡先電話番号,"
        "固定電話,勤務先電話番号,telefon"
    ),
    "mobile": "mobile,cell,mobile phone,cell phone,携帯,携帯電話,携帯番号,携帯電話番号,スマートフォン",
    "company": (
        "company,company name,organization,organisation,会社名,会社,企業名,法人名,勤務先,所属,"
        "貴社名,御社名,組織名,団体名,firma"
    ),
    "department": "department,部署,部署名,所属部署,部門",
    "title": "title,job title,position,役職,役職名,職位",
    "birthday": "birthday,birthdate,birth date,date of birth,dob,生年月日,誕生日,お誕生日,geburtstag",
    "gender": "gender,sex,性別",
    "postal_code": "zip,zip code,postal code,postcode,郵便番号,〒",
    "prefecture": "prefecture,都道府県,state,region",
    "city": "city,市区町村,市町村,town",
    "address": "address,street,住所,street address,番地,所在地",
    "country": "country,国,国名",
    "note": "note,notes,remarks,comment,memo,備考,メモ,コメント",
}
KINDS = {
    "last_name_kana": "kana",
    "first_name_kana": "kana",
    "kana": "kana",
    "phone": "phone",
    "mobile": "phone",
    "birthday": "date",
}
"""Attributes that are read in another way than as text."""
OURS = "tabiji "
"""Columns of our own reports begin with this: they say nothing of the person."""


def plain(header: str) -> str:
    """A title without what people vary: width, case, blanks, hyphens, brackets."""
    return _FILLING.sub("", unicodedata.normalize("NFKC", header)).casefold()


_KNOWN = {plain(title): meaning for meaning, titles in _MEANINGS.items() for title in titles.split(",")} | {
    plain(meaning): meaning for meaning in _MEANINGS
}


def meaning_of(header: str) -> str | None:
    """The field or attribute a title usually means; None where it is not known."""
    return _KNOWN.get(plain(header))


def is_japanese(header: str) -> bool:
    """Whether it has kana or Chinese characters in it."""
    return any("\u3040" <= character <= "\u30ff" or "\u4e00" <= character <= "\u9fff" for character in header)


def attribute_name(header: str) -> str:
    """What a column nobody knows is called as an attribute."""
    name = unicodedata.normalize("NFKC", header).strip()
    return re.sub(r"[\s\-]+", "_", name.lower()) if name.isascii() else re.sub(r"\s+", " ", name)
