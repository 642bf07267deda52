"""Write what the pages and the scripts show of the records: `python tests/measured/pages.py`.

It fills in each table whose head is among HEADS, with a line below it that names the versions; the outputs, each
below the command that prints it; and what follows `Expect:` in a script. `language` is 0 for English, 1 for Japanese.
"""

import re
import statistics
from functools import cache

from measure import OUTPUTS, RESULTS, ROOT, SECONDS, TUTORIALS, read, read_variants
from scipy import stats

# isort: split
from differences import DIFFERENCES  # measure.py says where it is

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("tutorials/*.md"), *ROOT.glob("tests/**/*.md")])
FILES = sorted(TUTORIALS.glob("[0-9]*.py"))
BOOK = ROOT / "tests" / "book" / "runs.csv"
VARIANTS = read_variants()
# The heads of the tables, in both languages, by what they are of
HEADS = {
    "scripts": [
        "script, and what it teaches | book | here, lowest to highest (runs) | time",
        "スクリプトと学ぶこと | 本 | このリポジトリでの最小～最大（回数） | 時間",
    ],
    "02": [
        "02: command | mean accuracy | lowest to highest (runs) | time",
        "02：コマンド | 平均 | 最小～最大（回数） | 時間",
    ],
    "03": [
        "03: command or edited line | mean accuracy | lowest to highest (runs) | time",
        "03：コマンド、書き換え | 平均 | 最小～最大（回数） | 時間",
    ],
    "book": ["script and options | runs | then | now | difference | 95 % interval | p"],
}
RANGE = ["{:.4f} to {:.4f} ({})", "{:.4f}～{:.4f}（{}）"]
UNITS = [(" s", " min"), (" 秒", " 分")]
FOOT = ["Measured with ", "測定環境："]
# What follows `Expect:`: the result of 01, of the others, and of a shorter run of 04
SEEDS = ["{:.4f} to {:.4f} ({} seeds), about {}", "{:.4f}～{:.4f}（シード{}通り）、約{}"]
EXPECT = [
    ("test accuracy 0.0 or 1.0, loss ", "test accuracy ", "with {}, as in the book:"),
    (
        "テストデータの正答率は0.0か1.0、損失は",
        "テストデータの正答率は",
        "本の実行例と同じ {} では、",
    ),
]
WORDS = [(" seconds", " minutes"), ("秒", "分")]


@cache
def runs(path):
    """Return {variant: its runs, by seed} of a record."""
    found = {}
    for row in sorted(read(path), key=lambda row: int(row.get("seed") or row["round"])):
        found.setdefault(row["variant"], []).append(row)
    return found


def runs_of(name, path=RESULTS):
    """Return the runs that stand for a variant; ValueError without runs."""
    name = "02" if name == "05" else name  # 05 trains the network of 02, with its seeds
    if name not in VARIANTS:
        raise ValueError(f"variants.toml has no [{name}]")
    if name not in runs(path):
        raise ValueError(f"{name} has no runs; run: python tests/measured/measure.py {name}")
    return runs(path)[name]


def results(name, path=RESULTS):
    """Return what the runs of a variant reached: the loss of 01, else the accuracy."""
    return [float(run["loss" if name == "01" else "accuracy"]) for run in runs_of(name, path)]


def mean(name):
    return statistics.mean(results(name))


def seconds(name):
    """Return the median of the rounds in which a variant was timed, or None before it was."""
    times = [float(run["seconds"]) for run in runs(SECONDS).get(name, [])]
    return statistics.median(times) if times else None


def time(name, units):
    """Return the time of a variant in words; "-" before it was timed."""
    value = seconds(name)
    if value is None:
        return "-"
    return f"{value:.0f}{units[0]}" if value < 90 else f"{value / 60:.0f}{units[1]}"


def outcome(name, language):
    """Return two cells: the range of the results, and the time."""
    found = results(name)
    text = RANGE[language].format(min(found), max(found), len(found))
    return f"{text} | {time(name, UNITS[language])}"


def label(name, language):
    """Return what a variant is called; each option begins a line, so that none is broken within it."""
    variant = VARIANTS[name]
    text = (
        variant.label[language] if variant.label else f"`{variant.command}`".replace(" --", "` `--")
    )
    return text.replace(" `--", "<br>`--")


def row_of_script(name, language):
    """Return a row of the table of the scripts."""
    variant = VARIANTS[name]
    (path,) = (
        one for one in FILES if one.name[:2] == name and (".ja." in one.name) == bool(language)
    )
    title = path.read_text(encoding="utf-8").splitlines()[0]
    section = "".join(
        f"{one} " for one in re.findall(r"4\.\d", title)
    )  # of the book, if it is there
    printed = f"{variant.printed:.4f}" if variant.printed else "–"
    loss = ["loss ", "損失 "][language] if name == "01" else ""
    return (
        f"{section}[{path.name}](tutorials/{path.name})<br>{variant.teaches[language]} | "
        f"{loss}{printed} | {loss}{outcome(name, language)}"
    )


def difference(name):
    """Return today's mean minus the book's, its 95 % interval (Welch), and p (Mann and Whitney)."""
    then, now = results(name, BOOK), results(name)
    interval = stats.ttest_ind(now, then, equal_var=False).confidence_interval()
    gap = statistics.mean(now) - statistics.mean(then)
    return gap, *interval, stats.mannwhitneyu(then, now).pvalue


def row_of_book(name):
    """Return a row of the table of then and now."""
    then, now = results(name, BOOK), results(name)
    gap, low, high, p = difference(name)
    count = f"{len(then)}" if len(then) == len(now) else f"{len(then)}, {len(now)}"
    means = f"{statistics.mean(then):.4f} | {statistics.mean(now):.4f}"
    return (
        f"{label(name, 0)} | {count} | {means} | {gap:+.4f} | {low:+.4f} to {high:+.4f} | {p:.2f}"
    )


def names_of(table):
    """Return the variants of a table, in the order of its rows."""
    if table == "scripts":
        return [name for name, variant in VARIANTS.items() if name == variant.script]
    if table == "book":
        return [name for name in VARIANTS if name in runs(BOOK) and name not in DIFFERENCES]
    return sorted(
        (name for name in VARIANTS if VARIANTS[name].script == table), key=mean, reverse=True
    )


def rows(table, language):
    """Return the rows of a table, without the bars at their ends."""
    for name in names_of(table):
        if table == "scripts":
            yield row_of_script(name, language)
        elif table == "book":
            yield row_of_book(name)
        else:
            yield f"{label(name, language)} | {mean(name):.4f} | {outcome(name, language)}"


def versions(table):
    """Return what the runs of a table were made with, the most frequent first."""
    made = [run["made_with"].split(";")[0] for name in names_of(table) for run in runs_of(name)]
    return "; ".join(sorted(set(made), key=made.count, reverse=True))


def fill_table(text, table, language):
    """Return a page with a table made anew, if it has this table."""
    head = f"| {HEADS[table][language]} |"
    if head not in text:
        return text
    pattern = rf"({re.escape(head)}\n\| ---.*\n)(?:\|.*\n)*(?:\n{FOOT[language]}.*\n)?"
    body = "".join(f"| {row} |\n" for row in rows(table, language))
    foot = f"\n{FOOT[language]}{versions(table)}{['.', '。'][language]}\n"
    return re.sub(pattern, lambda found: found[1] + body + foot, text)


def fill_outputs(text):
    """Return a page with each output made anew: that of the script named last before it."""

    def fill(found):
        number = re.findall(r"tutorials[/\\](0\d)_", text[: found.start()])[-1]
        return "```text\n" + (OUTPUTS / f"{number}.txt").read_text(encoding="utf-8") + "```\n"

    return re.sub(r"(?m)^```text\nEpoch (?:.*\n)*?```\n", fill, text)


def expect(name, language):
    """Return what follows `Expect:` in a script."""
    loss, accuracy, shorter = EXPECT[language]
    found = results(name)
    words = SEEDS[language].format(min(found), max(found), len(found), time(name, WORDS[language]))
    text = (loss if name == "01" else accuracy) + words
    if name == "04":
        text += f"\n        {shorter.format(VARIANTS['04-book'].flags)}"
        text += f"\n        {expect('04-book', language)}"
    return text


def filled_in(path):
    """Return the text of a page or of a script with all that is generated made anew."""
    text, language = path.read_text(encoding="utf-8"), int(".ja." in path.name)
    if path.suffix == ".py":
        return re.sub(r"(?s)(?<=\nExpect: ).*?(?=\nMarks:)", expect(path.name[:2], language), text)
    for table, heads in HEADS.items():
        if language < len(heads):
            text = fill_table(text, table, language)
    return fill_outputs(text)


def main():
    for path in [*PAGES, *FILES]:
        path.write_text(filled_in(path), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
