"""Write what the pages and the scripts show of the records: `python tests/measured/pages.py`.

It fills in each table whose head is among HEADS, with a line below it that names the versions; the outputs, each
below the command that prints it; and what follows `Expect:` in a script. `language` is 0 for English, 1 for Japanese.
"""

import re
import statistics
from functools import cache

from measure import CURVES, DRAWINGS, OUTPUTS, RESULTS, SECONDS, read, variants
from scipy import stats

# isort: split
from differences import DIFFERENCES  # measure.py says where these are
from files import ROOT, scripts, scripts_and_twins, texts, twins

BOOK = ROOT / "tests" / "book" / "runs.csv"
# The heads of the tables, in both languages, by what they are of
HEADS = {
    "scripts": [
        "script, and what it teaches | book | here, lowest to highest (runs) | time",
        "スクリプトと学ぶこと | 本 | このリポジトリでの最小～最大（回数） | 時間",
    ],
    "02": [
        "02: command | training data | test data: mean | lowest to highest (runs) | time",
        "02：コマンド | 訓練データ | テストデータの平均 | 最小～最大（回数） | 時間",
    ],
    "03": [
        "03: command or edited line | training data | test data: mean | lowest to highest (runs) | time",
        "03：コマンド、書き換え | 訓練データ | テストデータの平均 | 最小～最大（回数） | 時間",
    ],
    "overfitting": [
        "03: command or edited line | training data | test data | validation loss: lowest | in epoch | in the last epoch",
        "03：コマンド、書き換え | 訓練データ | テストデータ | 検証データの損失：最小 | そのエポック | 最後のエポック",
    ],
    "my_data": [
        "my_data.py | to beat | training data | test data: mean | lowest to highest (runs)",
        "my_data.py | いつも同じ答え | 訓練データ | テストデータの平均 | 最小～最大（回数）",
    ],
    "regression": ["in my_data.py | for a regression", "my_data.py | 回帰では"],
    "drawings": ["10 drawings | 03 | 04", "10個の数字 | 03 | 04"],
    "moved": [
        "1,000 test images, moved right by | 03 | 04",
        "右に動かした1,000枚のテストデータ | 03 | 04",
    ],
    "book": ["script and options | runs | then | now | difference | 95 % interval | p"],
}
RANGE = ["{} to {} ({})", "{}～{}（{}）"]
UNITS = [(" s", " min"), (" 秒", " 分")]
FOOT = ["Measured with ", "測定環境："]
# How the ten drawings were changed, by the names in drawings.csv
SITUATIONS = {
    "as drawn": "描いたまま",
    "moved right by 2 pixels": "右に2ピクセル動かす",
    "half as large, in a corner": "半分の大きさで、隅に",
    "half as large, in a corner, moved and scaled": "半分の大きさで隅に書き、位置と大きさを合わせる",
    "without margins": "余白なし",
    "thin brush": "細いブラシ",
    "black on white": "白地に黒",
    "moved and scaled as in MNIST": "描いたものの位置と大きさを合わせる",
}
MOVED = ["moved by 0", "moved by 2", "moved by 4", "moved by 6"]
PIXELS = ["{} pixels", "{}ピクセル"]
NOTHING = ["nothing: delete this", "（消す）"]
# What follows `Expect:`: the result of 01, of the others, and of a shorter run of 04
SEEDS = ["{:.4f} to {:.4f} ({} seeds)", "{:.4f}～{:.4f}（シード{}通り）"]
ABOUT = [", about ", "、約"]
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
    for row in sorted(read(path), key=lambda row: int(row.get("seed", 0))):
        found.setdefault(row["variant"], []).append(row)
    return found


def runs_of(name, path=RESULTS):
    """Return the runs that stand for a variant; ValueError without runs."""
    name = "02" if name == "05" else name  # 05 trains the network of 02, with its seeds
    if name not in variants():
        raise ValueError(f"variants.toml has no [{name}]")
    if name not in runs(path):
        raise ValueError(f"{name} has no runs; run: python tests/measured/measure.py {name}")
    return runs(path)[name]


def results(name, path=RESULTS, column="result"):
    """Return what the runs of a variant have in a column: results are accuracies, of 01 losses, or errors."""
    return [float(run[column]) for run in runs_of(name, path)]


def mean(name, column="result"):
    return statistics.mean(results(name, column=column))


def number(value):
    """Return an accuracy with four decimals, an error of a regression with one."""
    return f"{value:.4f}" if value < 10 else f"{value:.1f}"


def seconds(name):
    """Return the shortest time of a variant, since other work of a machine only adds to it; None before any."""
    return min((float(run["seconds"]) for run in runs(SECONDS).get(name, [])), default=None)


def time(name, units):
    """Return the time of a variant in words; "-" before it was timed."""
    value = seconds(name)
    if value is None:
        return "-"
    return f"{value:.0f}{units[0]}" if value < 90 else f"{value / 60:.0f}{units[1]}"


def span(name, language):
    """Return the range of the results."""
    found = results(name)
    return RANGE[language].format(number(min(found)), number(max(found)), len(found))


def label(name, language):
    """Return what a variant is called; each option begins a line, so that none is broken within it."""
    variant = variants()[name]
    text = (
        variant.label[language] if variant.label else f"`{variant.command}`".replace(" --", "` `--")
    )
    return text.replace(" `--", "<br>`--")


def row_of_script(name, language):
    """Return a row of the table of the scripts."""
    variant = variants()[name]
    path = [scripts, twins][language]()[name]
    title = path.read_text(encoding="utf-8").splitlines()[0]
    section = "".join(
        f"{one} " for one in re.findall(r"4\.\d", title)
    )  # of the book, if it is there
    printed = f"{variant.printed:.4f}" if variant.printed else "–"
    loss = ["loss ", "損失 "][language] if name == "01" else ""
    return (
        f"{section}[{path.name}](tutorials/{path.name})<br>{variant.teaches[language]} | "
        f"{loss}{printed} | {loss}{span(name, language)} | {time(name, UNITS[language])}"
    )


def difference(name):
    """Return today's mean minus the book's, its 95 % interval (Welch), and p (Mann and Whitney)."""
    then, now = results(name, BOOK), results(name)
    interval = stats.ttest_ind(now, then, equal_var=False).confidence_interval()
    gap = statistics.mean(now) - statistics.mean(then)
    return gap, *interval, stats.mannwhitneyu(then, now).pvalue


def row_of_book(name, _):
    """Return a row of the table of then and now."""
    then, now = results(name, BOOK), results(name)
    gap, low, high, p = difference(name)
    count = f"{len(then)}" if len(then) == len(now) else f"{len(then)}, {len(now)}"
    means = f"{statistics.mean(then):.4f} | {statistics.mean(now):.4f}"
    return (
        f"{label(name, 0)} | {count} | {means} | {gap:+.4f} | {low:+.4f} to {high:+.4f} | {p:.2f}"
    )


def row_of_overfitting(name, language):
    """Return a row of the table of overfitting: the means of all seeds, and of the epoch the median."""
    curves = {}
    for row in runs(CURVES)[name]:
        curves.setdefault(row["seed"], []).append(float(row["val_loss"]))
    lowest = statistics.mean(map(min, curves.values()))
    epoch = statistics.median(curve.index(min(curve)) + 1 for curve in curves.values())
    last = statistics.mean(curve[-1] for curve in curves.values())
    accuracies = f"{mean(name, 'training'):.4f} | {mean(name):.4f}"
    return f"{label(name, language)} | {accuracies} | {lowest:.4f} | {epoch:.0f} | {last:.4f}"


def row_of_exercise(name, language):
    """Return a row of the tables of 02 and 03."""
    means = f"{mean(name, 'training'):.4f} | {mean(name):.4f}"
    return f"{label(name, language)} | {means} | {span(name, language)} | {time(name, UNITS[language])}"


def row_of_my_data(name, language):
    """Return a row of the table of the guide's program for data of one's own."""
    means = [number(mean(name, column)) for column in ("to_beat", "training", "result")]
    return " | ".join([label(name, language), *means, span(name, language)])


def rows_of_drawings(moved, language):
    """Yield the rows of the ten drawings, or of the test images that were moved: what 03 and 04 reach."""
    recorded = read(DRAWINGS)
    for situation in MOVED if moved else SITUATIONS:
        results = [row["result"] for row in recorded if row["situation"] == situation]
        name = [situation, SITUATIONS.get(situation)][language]
        if moved:
            name = PIXELS[language].format(situation.split()[-1])
        yield " | ".join([name, *results])


def rows_of_edits(name, language):
    """Yield the edits of a variant: the old lines, the new ones."""
    for old, new in variants()[name].edits:
        cells = [
            "<br>".join(f"`{line}`" for line in part.strip().splitlines()) for part in (old, new)
        ]
        yield f"{cells[0]} | {cells[1] or NOTHING[language]}"


def names_of(table):
    """Return the variants of a table, in the order of its rows."""
    if table == "scripts":
        return [name for name, variant in variants().items() if variant.teaches]
    if table == "book":
        return [name for name in variants() if name in runs(BOOK) and name not in DIFFERENCES]
    if table == "overfitting":
        return [name for name in variants() if name in runs(CURVES)]
    names = [name for name, variant in variants().items() if variant.script == table]
    if table == "my_data":
        return names
    return sorted((name for name in names if name not in runs(CURVES)), key=mean, reverse=True)


def rows(table, language):
    """Return the rows of a table, without the bars at their ends."""
    if table in ("drawings", "moved"):
        return list(rows_of_drawings(table == "moved", language))
    if table == "regression":
        return list(rows_of_edits("my_data-regression", language))
    row = {
        "scripts": row_of_script,
        "book": row_of_book,
        "overfitting": row_of_overfitting,
        "my_data": row_of_my_data,
    }.get(table, row_of_exercise)
    return [row(name, language) for name in names_of(table)]


def foot(table, language):
    """Return the line below a table: what its runs were made with, the most frequent first."""
    if table == "regression":
        return ""
    if table in ("drawings", "moved"):
        runs_shown = read(DRAWINGS)
    else:
        runs_shown = [run for name in names_of(table) for run in runs_of(name)]
    made = [run["made_with"].split(";")[0] for run in runs_shown]
    versions = "; ".join(sorted(set(made), key=made.count, reverse=True))
    return f"\n{FOOT[language]}{versions}{['.', '。'][language]}\n"


def fill_table(text, table, language):
    """Return a page with a table made anew, if it has this table."""
    head = f"| {HEADS[table][language]} |"
    if head not in text:
        return text
    pattern = rf"({re.escape(head)}\n\| ---.*\n)(?:\|.*\n)*(?:\n{FOOT[language]}.*\n)?"
    body = "".join(f"| {row} |\n" for row in rows(table, language))
    return re.sub(pattern, lambda found: found[1] + body + foot(table, language), text)


def fill_outputs(text):
    """Return a page with each output made anew: that of the script named last before it."""

    def fill(found):
        name = re.findall(r"(?:tutorials[/\\]|python )(0\d|my_data)", text[: found.start()])[-1]
        (path,) = OUTPUTS.glob(f"{name}*.txt")
        return "```text\n" + path.read_text(encoding="utf-8") + "```\n"

    return re.sub(r"(?m)^```text\nEpoch (?:.*\n)*?```\n", fill, text)


def expect(name, language):
    """Return what follows `Expect:` in a script."""
    loss, accuracy, shorter = EXPECT[language]
    found = results(name)
    text = loss if name == "01" else accuracy
    text += SEEDS[language].format(min(found), max(found), len(found))
    if seconds(name) is not None:
        text += ABOUT[language] + time(name, WORDS[language])
    if name == "04":
        text += f"\n        {shorter.format(variants()['04-book'].flags)}"
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


def shown_in():
    """Return the files that show records: the pages, the scripts and their twins."""
    return [*(ROOT / name for name in texts()), *scripts_and_twins()]


def main():
    for path in shown_in():
        path.write_text(filled_in(path), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
