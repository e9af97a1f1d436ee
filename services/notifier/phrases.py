"""Every phrase that goes out to people, in the languages that are shipped: one place to translate.

A phrase has a code and the same fields in each language, in braces. Numbers choose between
``..._one`` and ``..._many``.
"""

from collections.abc import Mapping
from typing import Literal, get_args

Language = Literal["de", "en"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "en"

_PHRASES: Mapping[str, Mapping[Language, str]] = {
    "mail_greeting": {"de": "Hallo {name},", "en": "Hello {name},"},
    "mail_greeting_nameless": {"de": "Hallo,", "en": "Hello,"},
    "mail_subject_missed": {
        "de": "Verpasster Chat: {entry_point}",
        "en": "Missed chat: {entry_point}",
    },
    "mail_subject_offline": {
        "de": "Neuer Chat, während niemand da war: {entry_point}",
        "en": "New chat while nobody was there: {entry_point}",
    },
    "mail_happened_missed": {
        "de": "Ein Besucher hat bei „{entry_point}“ {waited} gewartet und keine Antwort bekommen. "
        "Das Gespräch wartet weiter, bis jemand antwortet oder es schließt.",
        "en": "A visitor waited for {waited} at “{entry_point}” and got no answer. "
        "The conversation waits on until somebody answers or closes it.",
    },
    "mail_happened_offline": {
        "de": "Ein Besucher hat bei „{entry_point}“ geschrieben, während niemand da war. "
        "Das Gespräch wartet auf eine Antwort.",
        "en": "A visitor wrote at “{entry_point}” while nobody was there. "
        "The conversation waits for an answer.",
    },
    "mail_conversation": {"de": "Gespräch: {conversation}", "en": "Conversation: {conversation}"},
    "mail_transcript": {"de": "Verlauf", "en": "Transcript"},
    "mail_no_transcript": {
        "de": "Der Verlauf ist nicht beigefügt; er steht in der Chat-Oberfläche.",
        "en": "The transcript is not included; it is in the chat itself.",
    },
    "mail_why": {
        "de": "Diese Nachricht kommt, weil in den eigenen Einstellungen E-Mails zu verpassten "
        "Chats gewünscht sind.",
        "en": "You get this message because your preferences ask for e-mails about missed chats.",
    },
    "notice_please_wait": {
        "de": "Es dauert leider etwas länger. Bitte noch etwas Geduld.",
        "en": "This is taking longer than usual. Please bear with us.",
    },
    "notice_missed": {
        "de": "Leider konnte gerade niemand antworten. Wir melden uns.",
        "en": "Sorry, nobody could answer just now. We will get back to you.",
    },
    "duration_none": {"de": "weniger als eine Sekunde", "en": "less than a second"},
    "duration_seconds_one": {"de": "eine Sekunde", "en": "one second"},
    "duration_seconds_many": {"de": "{n} Sekunden", "en": "{n} seconds"},
    "duration_minutes_one": {"de": "eine Minute", "en": "one minute"},
    "duration_minutes_many": {"de": "{n} Minuten", "en": "{n} minutes"},
    "duration_hours_one": {"de": "eine Stunde", "en": "one hour"},
    "duration_hours_many": {"de": "{n} Stunden", "en": "{n} hours"},
    "duration_days_one": {"de": "einen Tag", "en": "one day"},
    "duration_days_many": {"de": "{n} Tage", "en": "{n} days"},
}


def phrase(code: str, language: Language, **fields: object) -> str:
    """The phrase with its fields filled in."""
    return _PHRASES[code][language].format(**fields)


def language_of(*locales: str | None) -> Language:
    """The language of the first locale that is shipped (``de-AT`` is ``de``), else English."""
    for locale in locales:
        spoken = (locale or "").replace("_", "-").partition("-")[0].lower()
        for language in LANGUAGES:
            if spoken == language:
                return language
    return DEFAULT


def in_language(language: str, names: Mapping[str, str], name: str) -> str:
    """What something is called in a language: the translation if there is one, else its name."""
    for locale, translation in names.items():
        if locale.replace("_", "-").partition("-")[0].lower() == language:
            return translation
    return name


def duration(milliseconds: int, language: Language) -> str:
    """How long something took, in whole units of the largest that fits."""
    seconds = max(milliseconds, 0) // 1_000
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= length:
            return _counted(unit, seconds // length, language)
    if not seconds:
        return phrase("duration_none", language)
    return _counted("seconds", seconds, language)


def _counted(unit: str, n: int, language: Language) -> str:
    return phrase(f"duration_{unit}_{'one' if n == 1 else 'many'}", language, n=n)
