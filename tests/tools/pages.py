"""Write all that the pages and the scripts show of the records: `python tests/tools/pages.py`.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; in a script it is what follows
`Expect:`. PARTS says which file has which parts.
"""

import collections
import functools
import re
import statistics

import measure
from measure import BACKENDS, RECORDS, ROOT, VARIANTS
from scipy import stats

# What the chapter prints
PRINTED = {"01": 1.7369792461395264, "02": 0.947368421053, "03": 0.8855, "04-book": 0.9797}
SCRIPTS = {path.name[:2]: path for path in measure.TUTORIALS.glob("[0-9]*.py")}
# The variants that are there for their time; of the others, the exercises, and those on 02
SPEEDS = [name for name, variant in VARIANTS.items() if variant.speed]
EXERCISES = [name for name in VARIANTS if name.startswith("03") and name not in SPEEDS]
IRIS = [name for name in VARIANTS if name.startswith("02") and name not in SPEEDS]
UNITS = [("\u00a0s", "\u00a0min"), ("\u00a0秒", "\u00a0分")]  # never alone on a line
# How far the 95 % interval of the difference of the means, today minus then, may reach: a loss of 01,
# accuracies of the others.
MARGINS = {"01": 0.25, "02": 0.045, "03": 0.005, "03-adagrad": 0.003}
MARGINS |= {"03-relu": 0.0035, "03-tanh": 0.0035, "04-book": 0.0045}

Difference = collections.namedtuple("Difference", "mean low high p")


# What the records say


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

    The interval is Welch's, the rank test that of Mann and Whitney.
    """
    then, now = figures(then, record="book"), figures(now)
    welch = stats.ttest_ind(now, then, equal_var=False).confidence_interval()
    mean = statistics.mean(now) - statistics.mean(then)
    return Difference(mean, welch.low, welch.high, stats.mannwhitneyu(then, now).pvalue)


def spread(name, record="results"):
    """Return the lowest, the mean and the highest figure of a variant, as printed."""
    values = figures(name, record=record)
    return [f"{value:.4f}" for value in (min(values), statistics.mean(values), max(values))]


def seconds(name, turns=None):
    """Return the usual time of a run, of all recorded ones or of the first few."""
    return statistics.median(figures(name, "seconds")[:turns])


def duration(name, units):
    """Return the usual time of a run with its unit: minutes from 90 seconds on."""
    time = seconds(name)
    return f"{time:.0f}{units[0]}" if time < 90 else f"{time / 60:.0f}{units[1]}"


def label(name, language):
    """Return how a page names a variant; `language` is 0 for English, 1 for Japanese."""
    variant = VARIANTS[name]
    command = f"{variant.script} {variant.flags}".strip()
    return variant.label[language] if variant.label else f"`{command}`"


# The parts: each returns the lines of one, in a language


def table(head, rows):
    """Return the lines of a table; cells are separated by " | "."""
    return [f"| {row} |" for row in (head, " | ".join(["---"] * len(head.split(" | "))), *rows)]


def sample(language):
    """Return the end of the recorded output of the first command."""
    return ["```text", *(RECORDS / "sample.txt").read_text(encoding="utf-8").splitlines(), "```"]


def scripts(language):
    """Return the table of the five scripts."""
    rows = []
    for section, (number, path) in enumerate(sorted(SCRIPTS.items()), 3):
        kind = (("loss", "損失") if number == "01" else ("accuracy", "正答率"))[language]
        printed = ("not printed", "記載なし")[language]
        if number in PRINTED:
            printed = f"{kind} {PRINTED[number]:.4f}"
        low, _, high = spread(number)
        n = len(figures(number))
        span = (f"{low} to {high} ({n} seeds)", f"{low}～{high}（シード{n}個）")[language]
        first, time = f"{figures(number)[0]:.4f}", duration(number, UNITS[language])
        link = f"[{path.name}](tutorials/{path.name})"
        rows.append(f"4.{section} | {link} | {printed} | {first} | {span} | {time}")
    english = "section | script | book | seed 0 | range over seeds | time"
    japanese = "節 | スクリプト | 本 | シード0 | シードを変えたときの範囲 | 時間"
    return table((english, japanese)[language], rows)


def ranking(language, names):
    """Return the table of these variants, the best first."""
    rows = []
    for name in sorted(names, key=lambda name: -statistics.mean(figures(name))):
        low, mean, high = spread(name)
        n = len(figures(name))
        span = (f"{low} to {high} ({n})", f"{low}～{high}（{n}）")[language]
        time = duration(name, UNITS[language])
        rows.append(f"{label(name, language)} | {mean} | {span} | {time}")
    english = "command or edit | mean | lowest to highest (seeds) | time"
    japanese = "コマンドまたは書き換え | 平均 | 最小～最大（シード数） | 時間"
    return table((english, japanese)[language], rows)


def differences(language):
    """Return the table of then and now."""
    rows = []
    for name, margin in MARGINS.items():
        found = difference(name, name)
        printed = f"{PRINTED[name]:.4f}" if name in PRINTED else ""
        runs = f"{len(figures(name, record='book'))} and {len(figures(name))}"
        means = f"{spread(name, 'book')[1]} | {spread(name)[1]} | {found.mean:+.4f}"
        interval = f"{found.low:+.4f} to {found.high:+.4f} | {margin} | {found.p:.2f}"
        rows.append(f"{label(name, 0)} | {printed} | {runs} | {means} | {interval}")
    head = " | printed | seeds | mean then | mean now | difference | 95 % interval | margin"
    return table(f"{head} | p of a rank test", rows)


def speeds(language):
    """Return the table of speeds: the median of the first few runs, in seconds; "" where there is none."""
    rows = {f"`{b}`": [f"import-{b}", f"02-{b}", f"03-{b}", f"04-book-{b}"] for b in BACKENDS}
    rows[f"`{BACKENDS[0]}`"][1:] = ["02", "03", "04-book"]
    rows["`tensorflow`, without `steps_per_execution`"] = ["", "", "03-plain", ""]
    rows["`tensorflow`, mixed precision"] = ["", "", "", "04-book-mixed"]
    runs = read("results")
    for name, cells in rows.items():
        times = [f"{seconds(n, turns=3):.1f}" if runs.get(n) else "" for n in cells]
        rows[name] = " | ".join([name, *times])
    return table(f"Keras on | `import keras` | `02` | `03` | {label('04-book', 0)}", rows.values())


def expect(language, number):
    """Return what follows `Expect:` in a script."""

    def words(name):
        low, _, high = spread(name)
        kind = "loss" if name == "01" else "test accuracy"
        more = ", accuracy 0.0 or 1.0" if name == "01" else ""
        time = duration(name, [" seconds", " minutes"])
        return f"{kind} {low} to {high}{more} ({len(figures(name))} seeds), about {time}"

    if number != "04":
        return [words(number)]
    more = f"with {VARIANTS['04-book'].flags}, as in the book:"
    return [words("04"), f"        {more}", f"        {words('04-book')}"]


PAGE = {"sample": sample, "scripts": scripts}
PAGE["exercises"] = functools.partial(ranking, names=EXERCISES)
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
        if path.suffix == ".md":
            pattern = rf"(<!-- generated: {name} -->\n).*?()(?=<!-- end -->)"
            lines += "\n"
        else:
            pattern = r"(\nExpect: ).*?(\n(?:\"\"\"|Try:))"
        text, count = re.subn(pattern, rf"\g<1>{lines}\g<2>", text, flags=re.DOTALL)
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
