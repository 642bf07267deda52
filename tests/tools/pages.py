"""Write all that the pages and the scripts show of the records: `python tests/tools/pages.py`.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; in a script it is what follows
`Expect:`. PARTS says which file has which parts.
"""

import functools
import re
import statistics

import measure
from measure import RECORDS, ROOT, SCRIPTS, VARIANTS
from scipy import stats

# The variants that are there for their time; of the others, the exercises, and those on 02
SPEEDS = [name for name, variant in VARIANTS.items() if variant.speed]
EXERCISES = [name for name in VARIANTS if name.startswith("03") and name not in SPEEDS]
IRIS = [name for name in VARIANTS if name.startswith("02") and name not in SPEEDS]
# Never alone on a line of a page
UNITS = [("\u00a0s", "\u00a0min"), ("\u00a0秒", "\u00a0分"), (" seconds", " minutes")]
MARGINS = {name: variant.margin for name, variant in VARIANTS.items() if variant.margin}


@functools.cache
def read(record):
    """Return {variant: its recorded runs by seed}."""
    runs = sorted(measure.read(record), key=lambda run: int(run["seed"]))
    return {name: [run for run in runs if run["variant"] == name] for name in VARIANTS}


def figures(name, column=None, record="results"):
    """Return one figure of each run of a variant: by default the loss of 01, else the accuracy."""
    column = column or ("loss" if name == "01" else "accuracy")
    return [float(run[column]) for run in read(record)[name]]


def difference(then, now):
    """Return the difference of the means, today's minus the book's, its 95 % interval, and a rank test.

    The interval (low, high) is Welch's, the rank test that of Mann and Whitney.
    """
    then, now = figures(then, record="book"), figures(now)
    interval = stats.ttest_ind(now, then, equal_var=False).confidence_interval()
    mean = statistics.mean(now) - statistics.mean(then)
    return mean, *interval, stats.mannwhitneyu(then, now).pvalue


def spread(name, record="results"):
    """Return the lowest, the mean and the highest figure of a variant, as printed."""
    values = figures(name, record=record)
    return [f"{value:.4f}" for value in (min(values), statistics.mean(values), max(values))]


def seconds(name):
    """Return the usual time of a run: of the first three, which are taken in turn with all variants."""
    return statistics.median(figures(name, "seconds")[:3])


def reach(name, language):
    """Return between what its figures lie; `language`: 0 English, 1 Japanese, 2 English in a script."""
    (low, _, high), n = spread(name), len(figures(name))
    return (f"{low} to {high} ({n})", f"{low}～{high}（{n}）", f"{low} to {high} ({n} seeds)")[
        language
    ]


def duration(name, language):
    """Return the usual time of a run with its unit: minutes from 90 seconds on."""
    time, (second, minute) = seconds(name), UNITS[language]
    return f"{time:.0f}{second}" if time < 90 else f"{time / 60:.0f}{minute}"


def label(name, language):
    """Return what it is called, each flag as code of its own: else a line might end within it."""
    one = VARIANTS[name]
    return one.label[language] if one.label else f"`{one.command}`".replace(" --", "` `--")


def table(head, rows):
    """Return the lines of a table with this head, " | " between cells; no line ends within a flag."""
    lines = [head, " | ".join(["---"] * len(head.split(" | "))), *map(" | ".join, rows)]
    return [re.sub("(`--.*`) `--", r"\1<br>`--", f"| {line} |") for line in lines]


def sample(language):
    """Return the end of the recorded output of the first command."""
    return ["```text", *(RECORDS / "sample.txt").read_text(encoding="utf-8").splitlines(), "```"]


def scripts(language):
    """Return the table of the five scripts."""
    rows = []
    for section, (number, path) in enumerate(SCRIPTS.items(), 3):
        kind = (("loss", "損失") if number == "01" else ("accuracy", "正答率"))[language]
        found = VARIANTS[number].printed
        printed = f"{kind} {found:.4f}" if found else ("not printed", "記載なし")[language]
        row = [f"4.{section}", f"[{path.name}](tutorials/{path.name})", printed]
        row += [f"{figures(number)[0]:.4f}", reach(number, language), duration(number, language)]
        rows.append(row)
    english = "section | script | book | seed 0 | lowest to highest (seeds) | time"
    japanese = "節 | スクリプト | 本 | シード0 | 最小～最大（シード数） | 時間"
    return table((english, japanese)[language], rows)


def ranked(names):
    """Return the variants by their mean accuracies, the best first."""
    return sorted(names, key=lambda name: -statistics.mean(figures(name)))


def ranking(language, names):
    """Return the table of these variants; its first head cannot be broken, so no flag below it is."""
    rows = []
    for name in ranked(names):
        found = spread(name)[1], reach(name, language), duration(name, language)
        rows.append([label(name, language), *found])
    english = "command\u00a0or\u00a0edited lines | mean | lowest to highest (seeds) | time"
    japanese = "\u2060".join("コマンド、書き換え") + " | 平均 | 最小～最大（シード数） | 時間"
    return table((english, japanese)[language], rows)


def differences(language):
    """Return the table of then and now."""
    rows = []
    for name, margin in MARGINS.items():
        mean, low, high, p = difference(name, name)
        row = [label(name, 0), f"{len(figures(name))}", spread(name, "book")[1], spread(name)[1]]
        rows.append([*row, f"{mean:+.4f}", f"{low:+.4f} to {high:+.4f}", f"{margin}", f"{p:.2f}"])
    head = "script\u00a0and\u00a0options | runs | then | now | difference | 95 % interval"
    return table(f"{head} | margin | p", rows)


def speeds(language):
    """Return the table of speeds, in seconds."""
    backends, scripts = ("tensorflow", "jax", "torch"), ("import", "02", "03", "04-book")
    names = {f"`{backend}`": [f"{script}-{backend}" for script in scripts] for backend in backends}
    names["`tensorflow`"][1:] = ["02", "03", "04-book"]
    names["`tensorflow`, one batch per call"] = [None, None, "03-plain", None]
    names["`tensorflow`, mixed precision"] = [None, None, None, "04-book-mixed"]
    rows = [[head, *(f"{seconds(n):.1f}" if n else "" for n in names[head])] for head in names]
    return table("Keras on | `import keras` | `02` | `03` | `04`, 3 epochs, batches of 512", rows)


def expect(language, number):
    """Return what follows `Expect:` in a script."""
    kind, found = "test accuracy", reach(number, 2)
    if number == "01":
        kind, found = "loss", found.replace(" (", ", accuracy 0.0 or 1.0 (")
    lines = [f"{kind} {found}, about {duration(number, 2)}"]
    if number == "04":
        lines += [f"        with {VARIANTS['04-book'].flags}, as in the book:"]
        lines += [f"        {kind} {reach('04-book', 2)}, about {duration('04-book', 2)}"]
    return lines


PAGE = {
    "sample": sample,
    "scripts": scripts,
    "exercises": functools.partial(ranking, names=EXERCISES),
}
GUIDE = {"iris": functools.partial(ranking, names=IRIS)}
PARTS = {ROOT / "README.md": PAGE, ROOT / "README.ja.md": PAGE}
PARTS |= {ROOT / "tutorials" / name: GUIDE for name in ("README.md", "README.ja.md")}
PARTS[ROOT / "tests" / "README.md"] = {"differences": differences, "speeds": speeds}
PARTS |= {path: {"expect": functools.partial(expect, number=n)} for n, path in SCRIPTS.items()}


def filled_in(path):
    """Return the text of a file with its parts made anew; each must be found exactly once."""
    text = path.read_text(encoding="utf-8")
    for name, part in PARTS[path].items():
        lines = "\n".join(part(int(path.name.endswith(".ja.md"))))
        between = f"(<!-- generated: {name} -->\n).*?(\n<!-- end -->)"
        if path.suffix == ".py":
            between = "(\nExpect: ).*?(\n\n)"
        text, count = re.subn(between, rf"\g<1>{lines}\g<2>", text, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"{path} has {name} {count} times")
    if len(re.findall("(?m)^<!-- generated: ", text)) not in (0, len(PARTS[path])):
        raise ValueError(f"{path} has parts that nobody makes")
    return text


def outdated():
    """Return the files whose parts are not what the records say."""
    return [path for path in PARTS if filled_in(path) != path.read_text(encoding="utf-8")]


if __name__ == "__main__":
    for path in outdated():
        path.write_text(filled_in(path), encoding="utf-8", newline="\n")
        print("written:", path.relative_to(ROOT))
