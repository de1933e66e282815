"""A short list of opinion words, so that an untuned model has a notion of good and bad."""

import re

_GOOD_WORDS = """
good great excellent amazing awesome love loved loves like liked best perfect perfectly nice
wonderful fantastic happy pleased enjoy enjoyed delicious tasty fresh fast quick friendly helpful
recommend recommended works worked reliable easy comfortable beautiful clean superb brilliant
impressive impressed satisfied favorite favourite fun funny charming touching smart moving fine
solid worth sturdy thanks thank glad delightful outstanding pleasant polite
"""
_BAD_WORDS = """
bad terrible awful horrible worst poor poorly hate hated dislike boring dull slow late cold broken
broke break useless waste wasted disappointed disappointing disappointment annoying rude dirty
disgusting stale wrong missing fail failed fails failure problem problems refund never unusable
cheap junk ugly uncomfortable noisy expensive overpriced angry sad stupid mess weak worse difficult
unfortunately lousy crap garbage bland defective cracked unreliable
"""
_GOOD_WORDS_ZH = """
好吃 不错 很好 很快 满意 喜欢 推荐 新鲜 美味 赞 棒 超快 热情 干净 划算 实惠 给力 完美 值得 准时
及时 贴心 周到 香 足 方便 舒服 开心 感谢 谢谢 优秀 漂亮 精彩 好评 态度好 味道好 分量足 量大 物美价廉
超值 可口 嫩 鲜美 礼貌 耐心 正宗 惊喜 快速 健康 温暖 一流 完好 好喝 下次还 常点 地道 细心 效率高
放心 支持 很香 爱吃
"""
_BAD_WORDS_ZH = """
难吃 很差 太差 太慢 慢 凉了 冷了 失望 差评 糟糕 不好 不新鲜 垃圾 恶心 骗 投诉 退款 退 错 漏 少了
没有送 没送 难喝 难看 脏 臭 硬 咸 太油 贵 晚 迟到 超时 洒 破 坏 态度差 不满 后悔 再也不 不会再 无语
生气 浪费 敷衍 异味 头发 虫 拉肚子 少得可怜 催 等了 小时 不熟 不值 不推荐 不好吃 不如 将就 一般 欺骗
恶劣 凑合
"""
_NEGATION_WORDS = (
    "not no never don't didn't doesn't isn't wasn't won't can't couldn't nothing hardly"
)

_GOOD = frozenset(_GOOD_WORDS.split())
_BAD = frozenset(_BAD_WORDS.split())
_GOOD_ZH = tuple(_GOOD_WORDS_ZH.split())
# The longest first: some of them contain a shorter or a good one behind a negation.
_BAD_ZH = tuple(sorted(_BAD_WORDS_ZH.split(), key=len, reverse=True))
_NEGATIONS = frozenset(_NEGATION_WORDS.split())
_WORD = re.compile(r"[a-z']+")

_STRONG = ("very", "extremely", "highly", "非常", "极")
_LABEL_WORDS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (1.0, ("positive", "pos", "good", "happy", "satisfied", "好评", "正面", "积极", "满意")),
    (-1.0, ("negative", "neg", "bad", "unhappy", "dissatisfied", "差评", "负面", "消极", "不满意")),
    (0.0, ("neutral", "mixed", "average", "中性", "中立", "一般")),
)


def opinion_of(text: str) -> float:
    """Judge a text by its opinion words.

    Args:
        text: Any text, English or Chinese.

    Returns:
        From -2, bad throughout, to 2, good throughout; 0 without opinion words.
    """
    good = bad = 0
    previous: tuple[str, str] = ("", "")
    for match in _WORD.finditer(text.lower()):
        word = match.group()
        flipped = bool(_NEGATIONS.intersection(previous))
        good += (word in _GOOD and not flipped) or (word in _BAD and flipped)
        bad += (word in _BAD and not flipped) or (word in _GOOD and flipped)
        previous = (previous[1], word)
    remaining = text
    for word in _BAD_ZH:
        bad += remaining.count(word)
        remaining = remaining.replace(word, " ")
    good += sum(remaining.count(word) for word in _GOOD_ZH)
    if good + bad == 0:
        return 0.0
    return 2.0 * (good - bad) / (good + bad + 0.5)


def opinion_of_label(name: str) -> float | None:
    """Tell what opinion a label names.

    Args:
        name: For example "very_negative".

    Returns:
        From -2 to 2, or None when the label does not read like an opinion.
    """
    lowered = re.sub(r"[\s_-]+", " ", name.lower()).strip()
    strength = 2.0 if lowered.startswith(_STRONG) else 1.0
    bare = re.sub(rf"^(?:{'|'.join(_STRONG)})\s*", "", lowered)
    for value, words in _LABEL_WORDS:
        if bare in words:
            return value * strength
    return None
