"""What texts in some languages look like: their most frequent letters beyond ASCII, and words.

It is enough to tell in which of the old encodings a text is. The letters are in the order of how
frequent they are, roughly; the words are short, frequent, and rare in neighbouring languages.
"""

from typing import NamedTuple

WESTERN = ("cp1252", "mac_roman", "iso8859_15", "cp850")
CENTRAL = ("cp1250", "iso8859_2", "cp852")
CYRILLIC = ("cp1251", "koi8_r", "koi8_u", "cp866", "iso8859_5", "mac_cyrillic")


class Language(NamedTuple):
    """A language.

    Attributes:
        name: What it is called.
        encodings: Python's names of the encodings in use for it, the most usual first.
        letters: Its letters beyond ASCII, the most frequent first, in lower case.
        words: Some of its most frequent words.
    """

    name: str
    encodings: tuple[str, ...]
    letters: str
    words: frozenset[str]


def _language(name: str, encodings: tuple[str, ...], letters: str, words: str) -> Language:
    return Language(name, encodings, letters, frozenset(words.split()))


ALPHABETS = (
    _language(
        "English", (*WESTERN, *CENTRAL, "cp1254", "cp1257"), "éèñüöïçáäíóàêôåøæãßúëâîûòìōšžčćłśı",
        "the and of to is was for with this that not you are have it in a i an on at as by be or "
        "no do so s t if from can we he all",
    ),
    _language(
        "German", (*WESTERN, "cp1250"), "üäößé",
        "der die und das ist nicht ein eine ich mit für auf es "
        "sie auch sich dem den zu im von war sehr wie nur noch über können wird",
    ),
    _language(
        "French", WESTERN, "éèàêçùâôîûëïœæ",
        "le la les des et est une un dans que qui pour pas sur "
        "avec du au très mais ne ce il je vous nous été être à",
    ),
    _language(
        "Spanish", WESTERN, "íóáéñúü¿¡",
        "el la los las de que y en un una es por con para no se muy del lo como más pero está qué",
    ),
    _language(
        "Portuguese", WESTERN, "ãçáéóíêúõâàô",
        "o os as de que e do da em um uma para com não é no na por mais muito mas está foi ao",
    ),
    _language(
        "Italian", WESTERN, "èàùòìé",
        "il lo gli di che e è un una per non con sono del della molto più anche ma questo nel al",
    ),
    _language(
        "Dutch", WESTERN, "ëéïöèüó",
        "de het een en van is niet ik dat op te met voor zijn er aan ook maar om heel",
    ),
    _language(
        "Swedish", WESTERN, "äöåé", "och att det som en är på för med inte jag av den till var har "
        "mycket men om",
    ),
    _language(
        "Danish", WESTERN, "øåæéö", "og det er en til af på ikke med jeg der som for har var men "
        "meget et den å",
    ),
    _language(
        "Finnish", WESTERN, "äöåšž", "ja on ei se että oli mutta niin kun hän ovat tämä hyvin",
    ),
    _language(
        "Icelandic", ("cp1252", "iso8859_15", "mac_iceland"), "ðáíúþæöéóý",
        "og að er ekki sem til var það við ég mjög en um",
    ),
    _language(
        "Polish", CENTRAL, "łęążóśćńź", "i w na nie się z do to jest że jak ale po za od przez był "
        "bardzo dla tak co",
    ),
    _language(
        "Czech", CENTRAL, "íáěéýžřščůúňťďó", "a je se na v že to s z do ale jsem byl pro jako by "
        "velmi tak není si jen",
    ),
    _language(
        "Slovak", CENTRAL, "áíýéčžľúšťôňďäóĺŕ", "a je sa na v že to s z do ale som bol pre ako by "
        "veľmi nie si len",
    ),
    _language(
        "Hungarian", CENTRAL, "áéőöóüíűú", "a az és hogy nem is egy ez van volt de meg nagyon csak "
        "mint már el",
    ),
    _language(
        "Romanian", (*CENTRAL, "iso8859_16"), "ăîâşţșț", "și şi de la cu în este nu că pe un o din "
        "care mai foarte pentru sunt",
    ),
    _language(
        "Croatian", CENTRAL, "čšžćđ", "i je u se na da su za nije sam od to kao ali što vrlo jako",
    ),
    _language(
        "Turkish", ("cp1254", "iso8859_9", "cp857"), "ıüşğçöâî", "ve bir bu da de için çok ne ile "
        "daha gibi ama değil var olan kadar",
    ),
    _language(
        "Lithuanian", ("cp1257", "iso8859_13"), "ėšųįžąūčę", "ir yra kad su iš bet tai kaip buvo "
        "labai į ne ar",
    ),
    _language(
        "Latvian", ("cp1257", "iso8859_13"), "āīēšūņļģķžč",
        "un ir ka ar no uz bet tas kas par ļoti nav bija",
    ),
    _language(
        "Estonian", ("cp1257", "cp1252", "iso8859_15"), "äõüöšž", "ja on ei et see kui oli ka aga "
        "väga mis ta",
    ),
    _language(
        "Vietnamese", ("cp1258",), "\u0300\u0301\u0323\u0309\u0303đưâêôăơàáéóíúèùûủ",
        "của và là không có cho trong một các được này rất",
    ),
    _language(
        "Russian", CYRILLIC, "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
        "и в не на что я с он как это по но они к у за из то все так очень был для",
    ),
    _language(
        "Ukrainian", ("cp1251", "koi8_u", "iso8859_5", "cp866"),
        "оанивіретслкудмпязьбгйчхцжюїєшщфґ",
        "і в не на що я з як це до та але від за є у дуже був для",
    ),
    _language(
        "Bulgarian", ("cp1251", "iso8859_5", "cp866"), "аоиетнсрвлдкпмзуъяйгчбцжщхшфюь",
        "и в не на че да се от за с е по но като това много са",
    ),
    _language(
        "Serbian", ("cp1251", "iso8859_5"), "аоиенрстујкдвпмлзгбшчцћхжњљђфџ",
        "и у је се на да су за није сам од то као али",
    ),
    _language(
        "Greek", ("cp1253", "iso8859_7"), "αοιετσνηυρπκμλςωδγχθφβξζψάίόέήώύϊϋ",
        "και το η ο να του της με για τα που την είναι δεν σε ένα πολύ",
    ),
    _language(
        "Hebrew", ("cp1255", "iso8859_8"), "יוהלאמרתבנשעדחקפסטגצזםןךכףץ",
        "של את לא על זה גם הוא עם כל אני היא מאוד",
    ),
    _language(
        "Arabic", ("cp1256", "iso8859_6"), "اليمونترعبدسفهكقحةجأشصطخضثذزىءغئإآظؤ،؟",
        "من في على أن إلى هذا لا ما كان التي هو مع جدا",
    ),
    _language(
        "Thai", ("cp874",), "านรกงอมยเลว่ดท้สตะิปบคัห็ีไขชจ์ใพผโ๊ืถุูำแนซศธณฟญภษฐฉ๋ฎฏฬ", "",
    ),
)  # fmt: skip

HAN = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里"
    "用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实"
    "日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政"
    "美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员"
    "解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件"
    "计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象"
    "完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运快味餐送店"
    "吃差服客价网店商钱差棒速推荐满慢错够"
)
HAN_TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡"
    "用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實"
    "日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政"
    "美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員"
    "解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件"
    "計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且權思王象"
    "完設式色路記南品住告類求據程北邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運快味餐送店"
    "吃差服客價網店商錢棒速推薦滿慢錯夠嗎吧呢啊"
)
KANA = (
    "のいにはをたがでとしてるなれすっらまもかこりさんくあうよきつそけだめみえわどせちおやろばじほずげごねひ"
    "びむふべへぶざぐぎぬぜゆょゃゅぞばぱぴぷぺぽぼ"
    "ーンスルトリアイラクドシレジタフロカムテコマサプニメオデグウバキパッチミエセナハブソビモノツサワケヤヨ"
    "ュョャァィェォヘホポペピヒベボガギゲゴザズゼゾダヂヅネヌユヴ"
)
KANJI = (
    "日一人年大国会本中出時上行事自者見分生間東入前長手今部後業三社同場思高代地気的下学何方外家二体新作小"
    "言合店子食味美品金名用話市員動度私最良物利感使問客安買料時屋書当対理無不実円五四月発明来気持注文表化"
    "主全法関定性機政力議民連相内十目通野題意経電水開立近戦現成期世要海点回選内校信強教知第応心特変結少商"
    "届返便質多好少早悪満足丁寧配送待"
)
HANGUL = (
    "이다는에을의가고하지한를도은기사로어서리아나자그인해시대있정보들라게여부수전제일만면장상과오니스주으"
    "조구우안원마것소없공비무거동성선할유위적요너미신내경화진문음방했연국았말치신용바세생물중관모었차개계발재"
    "분실때당후던더드려회체단교간입년습반심점업월상건품였트출식금배불감님송타표약네와야르며러단불두본각같까"
    "영맛좋많별친절빠른합니다"
)
KANA_AND_KANJI = KANA + KANJI
