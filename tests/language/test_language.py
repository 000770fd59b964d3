"""Facts about the language of articles. The sentences are our own."""

import random
import re
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given, settings
from hypothesis import strategies as st
from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory
from langdetect.lang_detect_exception import LangDetectException

from newsbeam.transforms.language import LanguageConfig, LanguageIdentifier, detect, identify_language
from newsbeam.transforms.language.backends import load_backend
from newsbeam.transforms.language.detector import QuickFactory
from newsbeam.transforms.language.second_detector import UNCONFIRMED, JointAnswer, weigh
from newsbeam.transforms.language.tags import primary_language
from newsbeam.transforms.model.records import Article, Origin

SENTENCES = {
    "en": "The council voted on Tuesday to close the old bridge until engineers have looked at its piers.",
    "de": "Der Stadtrat beschloss am Dienstag, die alte Brücke zu sperren, bis die Pfeiler untersucht sind.",
    "fr": "Le conseil a voté mardi la fermeture du vieux pont jusqu'à ce que ses piles soient examinées.",
    "es": "El ayuntamiento votó el martes cerrar el puente viejo hasta que se examinen sus pilares.",
    "pl": "Rada miasta zdecydowała we wtorek o zamknięciu starego mostu do czasu zbadania jego filarów.",
    "ru": "Городской совет решил во вторник закрыть старый мост, пока инженеры не осмотрят его опоры.",
    "uk": "Міська рада вирішила у вівторок закрити старий міст, доки інженери не оглянуть його опори.",
    "zh": "市议会星期二决定关闭旧桥，直到工程师检查完桥墩。",
    "ja": "市議会は火曜日、橋脚の点検が終わるまで古い橋を閉鎖することを決めた。",
    "ko": "시의회는 화요일 기술자들이 교각을 점검할 때까지 낡은 다리를 폐쇄하기로 했다.",
    "el": "Το δημοτικό συμβούλιο αποφάσισε την Τρίτη να κλείσει την παλιά γέφυρα.",
    "he": "מועצת העיר החליטה ביום שלישי לסגור את הגשר הישן עד שהמהנדסים יבדקו אותו.",
    "ar": "قرر مجلس المدينة يوم الثلاثاء إغلاق الجسر القديم حتى يفحص المهندسون دعائمه.",
    "hi": "नगर परिषद ने मंगलवार को पुराने पुल को बंद करने का निर्णय लिया है जब तक जांच नहीं होती।",
    "th": "สภาเมืองลงมติเมื่อวันอังคารให้ปิดสะพานเก่าจนกว่าวิศวกรจะตรวจสอบเสร็จ",
}


@pytest.fixture(scope="module")
def slow_and_fast():
    return load_backend("langdetect"), load_backend("langdetect-rs")


@pytest.mark.parametrize("tag", SENTENCES)
def test_a_sentence_is_in_its_language(tag):
    assert detect(SENTENCES[tag]).tag == tag


@pytest.mark.parametrize("tag", ["zh", "ja", "ko", "el", "he", "th"])
def test_a_script_of_one_language_never_reaches_the_detector(tag):
    assert detect(SENTENCES[tag]).method == "script"


def test_a_short_chinese_headline_with_a_latin_name_is_chinese():
    assert detect("iPhone 销量在中国再创新高").tag == "zh"


def test_japanese_is_told_from_chinese_by_its_kana():
    assert detect("首相、改革案を国会に提出").tag == "ja"


def test_the_answer_does_not_depend_on_what_was_asked_before():
    alone = {tag: detect(text) for tag, text in SENTENCES.items()}
    tags = list(SENTENCES) * 3
    random.Random(5).shuffle(tags)
    assert [detect(SENTENCES[tag]) for tag in tags] == [alone[tag] for tag in tags]


def _probabilities(factory, text):
    detector = factory.create()
    detector.append(text)
    try:
        return [(found.lang, float(found.prob)) for found in detector.get_probabilities()]
    except LangDetectException:
        return None


ODD = [
    "",
    "12345",
    "NASA AND ESA SAY so",
    "Đây là tiếng Vie\u0302\u0323t",
    "ş ș ț ţ",
    "İstanbul'da ŞIK",
    "abc абв ",
    "日本カナ",
]


@pytest.fixture(scope="module")
def stock_and_quick():
    profiles = [path.read_text("utf-8") for path in sorted(Path(PROFILES_DIRECTORY).iterdir())]
    factories = DetectorFactory(), QuickFactory()
    for factory in factories:
        factory.load_json_profile(profiles)
        factory.set_seed(0)
    return factories


@pytest.mark.parametrize("text", [*SENTENCES.values(), *(text[:25] for text in SENTENCES.values()), *ODD])
def test_the_quick_detector_gives_what_langdetect_gives_to_the_last_bit(stock_and_quick, text):
    stock, quick = stock_and_quick
    assert _probabilities(quick, text) == _probabilities(stock, text)


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("aBcÉéñßşИжЩλΣ的한あア '’.1\u0301\u0323ểỰ"), max_size=80))
def test_whatever_the_text_both_detectors_agree(stock_and_quick, text):
    stock, quick = stock_and_quick
    assert _probabilities(quick, text) == _probabilities(stock, text)


def test_the_rust_backend_gives_the_same_answers(slow_and_fast):
    slow, fast = slow_and_fast
    for text in [*SENTENCES.values(), *(text[:30] for text in SENTENCES.values())]:
        assert slow.classify(text) == pytest.approx(fast.classify(text), abs=1e-9) if slow.classify(text) else True
        assert detect(text, backend=slow).tag == detect(text, backend=fast).tag


def test_py3langid_knows_languages_that_langdetect_does_not():
    text = "Bæjarstjórnin ákvað á þriðjudag að loka gömlu brúnni þar til verkfræðingar hafa skoðað stöpla hennar."
    assert detect(text, backend=load_backend("py3langid")).tag == "is"


def test_few_letters_are_not_guessed_at():
    for text in ("", "   ", "12:30", "GOAL!!!", "OK 3-2", "https://example.org/the/quick/brown/fox/jumped/over"):
        assert detect(text) == detect("")
        assert detect(text).tag == "und"


def test_few_letters_take_the_pages_word_before_the_feeds():
    assert (detect("Tor!", "de-AT", "fr").tag, detect("Tor!", "de-AT", "fr").method) == ("de", "declared")
    assert (detect("Tor!", "", "de_DE").tag, detect("Tor!", "", "de_DE").method) == ("de", "hint")


def test_a_page_that_declares_a_template_language_is_still_read():
    assert detect(SENTENCES["de"], declared="en").tag == "de"


UNKNOWN_TO_LANGDETECT = {
    "az": "Şəhər şurası çərşənbə axşamı mühəndislər dayaqlarını yoxlayana qədər köhnə körpünü bağlamağı qərara aldı.",
    "be": "Гарадскі савет вырашыў у аўторак закрыць стары мост, пакуль інжынеры не агледзяць яго апоры.",
    "eu": "Udalak astearte honetan zubi zaharra ixtea erabaki du, ingeniariek zutabeak aztertu arte.",
    "gl": "O concello votou o martes pechar a ponte vella ata que os enxeñeiros examinen os seus piares.",
    "is": "Bæjarstjórnin ákvað á þriðjudag að loka gömlu brúnni þar til verkfræðingar hafa skoðað stöpla hennar.",
    "kk": "Қалалық кеңес сейсенбіде инженерлер тіректерін тексергенше ескі көпірді жабу туралы шешім қабылдады.",
    "mn": "Хотын зөвлөл мягмар гарагт инженерүүд тулгуурыг нь шалгах хүртэл хуучин гүүрийг хаахаар шийдвэрлэв.",
    "sr": "Градско веће је у уторак одлучило да затвори стари мост док инжењери не прегледају његове стубове.",
    "xh": "Ibhunga lesixeko livote ngoLwesibini ukuba livale ibhulorho endala de iinjineli zihlole iintsika zayo.",
}


@pytest.mark.parametrize("tag", UNKNOWN_TO_LANGDETECT)
def test_a_language_that_langdetect_does_not_know_is_not_called_another(tag: str) -> None:
    found = detect(UNKNOWN_TO_LANGDETECT[tag])
    assert (found.tag, found.method) == (tag, "py3langid")


HIRI_MOTU = (
    "Taunimanima ibounai be mai edia hakerisi bona edia dagi bona lalohadai idia abia, "
    "unai dainai tauhalo edia lalona namo."
)


def test_a_language_that_no_detector_knows_is_undetermined_and_told_what_it_resembles() -> None:
    found = detect(HIRI_MOTU)
    assert (found.tag, found.confidence) == ("und", None)
    assert re.fullmatch("resembles [a-z]{2,3}", found.method)


def test_the_page_decides_where_no_detector_knows_its_language() -> None:
    found = detect(HIRI_MOTU, declared="ho-PG")
    assert (found.tag, found.method) == ("ho", "declared")


def test_what_one_detector_alone_says_is_not_called_certain() -> None:
    """No detector knows Romansh: its relatives must not be stated with confidence."""
    known = frozenset(("fr", "it"))
    assert weigh(("it", 1.0), {"oc": 0.9, "lij": 0.1}, known) == JointAnswer("oc", UNCONFIRMED, "oc", True)
    assert weigh(("it", 1.0), {"fr": 0.9, "oc": 0.1}, known).probability <= UNCONFIRMED
    assert weigh(("it", 1.0), {"it": 0.99, "oc": 0.01}, known).probability > 0.99
    assert weigh(("it", 1.0), {"oc": 0.4, "lij": 0.3}, known) == JointAnswer("", 0.0, "oc")


def test_neighbours_that_no_detector_tells_apart_keep_the_first_detectors_name() -> None:
    assert weigh(("hr", 0.99), {"bs": 0.5, "hr": 0.45}, frozenset(("hr",))).tag == "hr"
    assert weigh(("hr", 0.99), {"bs": 0.9, "hr": 0.1}, frozenset(("hr",))).tag == "bs"


def test_the_page_cannot_make_english_text_of_a_language_the_detector_does_not_know():
    assert detect(SENTENCES["en"], declared="mt").tag == "en"


def test_the_page_cannot_declare_a_language_of_another_script():
    assert detect(SENTENCES["ru"], declared="ka").tag == "ru"
    assert detect("Tor!", declared="ru").tag == "und"


def test_a_norwegian_page_may_say_which_norwegian():
    text = "Kommunestyret vedtok tirsdag å stenge den gamle broen til ingeniørene har undersøkt pilarene."
    assert detect(text, declared="nb-NO").tag == "nb"
    assert detect(text).tag == "no"


def test_addresses_say_nothing_of_the_language():
    text = SENTENCES["de"][:60]
    noisy = (
        f"https://example.org/the-city-council-has-voted-to-close-the-bridge-on-tuesday {text} news.desk@example.org"
    )
    assert detect(noisy).tag == "de"


def test_capitals_are_read():
    assert detect(SENTENCES["fr"].upper()).tag == "fr"


@pytest.mark.parametrize(
    ("tag", "primary"),
    [
        ("de-AT", "de"),
        ("en_US.UTF-8", "en"),
        (" EN ", "en"),
        ("iw", "he"),
        ("ger", "de"),
        ("English", "en"),
        ("zh-Hant-TW", "zh"),
        ("und", None),
        ("mul", None),
        ("x-default", None),
        ("", None),
        ("{{ lang }}", None),
    ],
)
def test_tags_are_read_as_pages_write_them(tag, primary):
    assert primary_language(tag) == primary


def test_an_article_keeps_everything_but_its_language():
    article = Article(id="1", url="https://example.org/1", title="Brücke gesperrt", text=SENTENCES["de"])
    tagged = identify_language(article)
    assert (tagged.language, tagged.language_method) == ("de", "langdetect")
    assert 0.9 <= tagged.language_confidence <= 1.0
    assert (tagged.id, tagged.url, tagged.title, tagged.text) == (article.id, article.url, article.title, article.text)


def test_an_unknown_backend_is_refused_while_the_pipeline_is_built():
    with pytest.raises(ValueError, match=r"cld9.*langdetect, langdetect-rs, py3langid"):
        LanguageIdentifier(LanguageConfig(backend="cld9"))


def test_the_stage_identifies_what_passes_through_it():
    articles = [
        Article(id=tag, url=f"https://example.org/{tag}", text=text, origin=Origin(language_hint="en"))
        for tag, text in SENTENCES.items()
    ]
    with TestPipeline() as pipeline:
        tagged = pipeline | beam.Create(articles) | beam.Map(LanguageIdentifier(LanguageConfig()))
        assert_that(
            tagged | beam.Map(lambda article: (article.id, article.language)), equal_to([(t, t) for t in SENTENCES])
        )


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400), st.text(max_size=12))
def test_any_text_has_an_answer_that_is_a_tag(text, declared):
    found = detect(text, declared)
    assert found == detect(text, declared)
    assert primary_language(found.tag) or found.tag == "und"
