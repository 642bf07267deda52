"""Write all that the pages and the scripts show of the records: `python tests/tools/pages.py`.

A part of a page stands between `<!-- generated: NAME -->` and `<!-- end -->`; in a script it is what follows
`Expect:`. A number in a sentence stands before the name of its fact: `0.9780<!-- mean 04-book -->`.
"""

import functools
import json
import math
import re
import statistics

import measure
from measure import ENDINGS, ROOT, SCRIPTS, VARIANTS
from scipy import stats

# isort: split
import chapter  # measure says where it is

PAGES = sorted(
    path for folder in (".", "tutorials", "tests") for path in (ROOT / folder).glob("*.md")
)
# The variants that are there for their time; of the others, the exercises, and those on 02
SPEEDS = [name for name, variant in VARIANTS.items() if variant.speed]
EXERCISES = [name for name in VARIANTS if name.startswith("03") and name not in SPEEDS]
IRIS = [name for name in VARIANTS if name.startswith("02") and name not in SPEEDS]


# Whose runs say between what the results of a script lie: 05 trains the network of 02, with its seeds
RANGE = {number: "02" if number == "05" else number for number in SCRIPTS}
MARGINS = {
    n: v.margin for n, v in VARIANTS.items() if v.margin and v.script not in chapter.DIFFERENCES
}


# The records


@functools.cache
def read(record):
    """Return {variant: its recorded runs by seed}."""
    runs = sorted(measure.read(record), key=lambda run: int(run["seed"]))
    return {name: [run for run in runs if run["variant"] == name] for name in VARIANTS}


def endings():
    """Return {number of a script: the last lines of its recorded output}."""
    return json.loads(ENDINGS.read_text(encoding="utf-8"))


def results(name, record="results"):
    """Return the result of each run of a variant: the loss of 01, else the accuracy."""
    column = "loss" if name == "01" else "accuracy"
    return [float(run[column]) for run in read(record)[name]]


def average(name, record="results"):
    """Return the mean of a variant, as printed."""
    return f"{statistics.mean(results(name, record)):.4f}"


def difference(then, now):
    """Return the difference of the means, today's minus the book's, its 95 % interval, and a rank test.

    The interval (low, high) is Welch's, the rank test that of Mann and Whitney.
    """
    then, now = results(then, "book"), results(now)
    interval = stats.ttest_ind(now, then, equal_var=False).confidence_interval()
    mean = statistics.mean(now) - statistics.mean(then)
    return mean, *interval, stats.mannwhitneyu(then, now).pvalue


def seconds(name):
    """Return the usual time of a run: of the first three, which are taken in turn with all variants."""
    return statistics.median(float(run["seconds"]) for run in read("results")[name][:3])


def set_up(column):
    """Return a figure of the set-up that was measured first, on Linux."""
    return float(measure.read("setup")[0][column])


@functools.cache
def network(name):
    """Return the network of a variant, which is one of chapter.py's."""
    return chapter.build_today(chapter.today(name))


def recorded_program(name):
    """Return the line of the program that a variant is recorded of."""
    return measure.recorded_programs()["results", name]


def program(name, what):
    """Return a number of a recorded program: "epochs", "batches of" or "x"."""
    return int(re.search(rf"\b{what} \(?(\d+)", recorded_program(name))[1])


def rows(name):
    """Return how many rows a variant is trained with; a record's program has fewer images."""
    return 60_000 if VARIANTS[name].script in ("03", "04") else program(name, "x")


def batches(name):
    """Return how many batches, and so updates, an epoch has."""
    return math.ceil(rows(name) / program(name, "batches of"))


def pythons():
    """Return the oldest and the newest Python that a script asks for, and the first that it does not."""
    oldest, beyond = re.findall(r'3\.(\d+)[",]', SCRIPTS["01"].read_text(encoding="utf-8"))
    return {"oldest": f"3.{oldest}", "newest": f"3.{int(beyond) - 1}", "next": f"3.{beyond}"}


def tolerance(name):
    """Return how far the replay of an optimizer, or of an output, may be off."""
    found = {**chapter.UPDATE_TOLERANCE, "output": chapter.OUTPUT_TOLERANCE}[name]
    return re.sub(r"e-0?", "e-", f"{found:.5g}") if found < 1e-4 else f"{found * 1000:.5g}e-3"


FACTS = {
    # of the recorded runs of a variant
    "mean": average,
    "low": lambda name: f"{min(results(name)):.4f}",
    "high": lambda name: f"{max(results(name)):.4f}",
    "runs": lambda name: f"{len(results(name))}",
    "gap": lambda name: f"{abs(difference(name, name)[0]):.4f}",
    "gap-low": lambda name: f"{difference(name, name)[1]:+.4f}",
    "gap-high": lambda name: f"{difference(name, name)[2]:+.4f}",
    "printed": lambda name: f"{VARIANTS[name].printed:.4f}",
    "seconds": lambda name: f"{seconds(name):.0f}",
    "memory": lambda name: (
        f"{max(int(r['peak_mib']) for r in read('results')[name]) * 2**20 / 1e9:.1f}"
    ),
    # of its program
    "epochs": lambda name: f"{program(name, 'epochs')}",
    "batch": lambda name: f"{program(name, 'batches of')}",
    "batches": lambda name: f"{batches(name)}",
    "updates": lambda name: f"{batches(name) * program(name, 'epochs')}",
    "setting": lambda name, what: re.search(rf"{what}=([\d.e-]+)", recorded_program(name))[1],
    "parameters": lambda name: f"{network(name).count_params()}",
    "parameters-of": lambda name, n: f"{network(name).layers[int(n)].count_params()}",
    "size": lambda name, n, axis: f"{network(name).layers[int(n)].output.shape[int(axis)]}",
    # of the set-up
    "download": lambda: f"{set_up('download_mb'):.0f}",
    "installed": lambda: f"{set_up('installed_mb') / 1000:.1f}",
    "python": lambda which: pythons()[which],
    # of the tests
    "tolerance": tolerance,
}


# The parts


def reach(name, language="script"):
    """Return between what its results lie, and how many there are."""
    low, high, n = FACTS["low"](name), FACTS["high"](name), len(results(name))
    if language == "ja":
        return f"{low}～{high}（{n}）"
    return f"{low} to {high} ({n} seeds)" if language == "script" else f"{low} to {high} ({n})"


def duration(name, language="script"):
    """Return the usual time of a run with its unit, minutes from 90 seconds on; no line ends within it."""
    time = seconds(name)
    units = {"en": ("\u00a0s", "\u00a0min"), "ja": ("\u00a0秒", "\u00a0分")}
    second, minute = units.get(language, (" seconds", " minutes"))
    return f"{time:.0f}{second}" if time < 90 else f"{time / 60:.0f}{minute}"


def label(name, language="en"):
    """Return what it is called, each flag as code of its own: else a line might end within it."""
    one = VARIANTS[name]
    if one.label:
        return one.label[language == "ja"]
    return f"`{one.command}`".replace(" --", "` `--")


def table(head, rows):
    """Return the lines of a table with this head, " | " between cells; no line ends within a flag."""
    lines = [head, " | ".join(["---"] * len(head.split(" | "))), *map(" | ".join, rows)]
    return [re.sub("(`--.*`) `--", r"\1<br>`--", f"| {line} |") for line in lines]


def output(language, number):
    """Return the end of the recorded output of a script."""
    return ["```text", *endings()[number], "```"]


def command(language, name):
    """Return the command of a variant, for each kind of shell."""
    path, flags = SCRIPTS[VARIANTS[name].script], VARIANTS[name].flags
    line = f"tutorials/{path.name} {flags}".strip()
    windows = line.replace("/", "\\")
    shell = ["```sh", f".venv/bin/python {line}", "```", ""]
    return [*shell, "```powershell", f".venv\\Scripts\\python {windows}", "```"]


def scripts(language):
    """Return the table of the five scripts."""
    found = []
    japanese = language == "ja"
    for section, (number, path) in enumerate(SCRIPTS.items(), 3):
        kind = "損失 " if japanese else "loss "
        value = VARIANTS[number].printed
        printed = f"{value:.4f}" if value else "－" if japanese else "–"
        of_today = reach(RANGE[number], language), duration(number, language)
        row = [
            f"4.{section}",
            f"[{path.name}](tutorials/{path.name})",
            VARIANTS[number].teaches[japanese],
        ]
        found.append([*row, (kind if number == "01" else "") + printed, *of_today])
    head = "section | script | it teaches | book | here, lowest to highest (seeds) | time"
    if japanese:
        head = "節 | スクリプト | 学ぶこと | 本 | このリポジトリでの最小～最大（シード数） | 時間"
    return table(head, found)


def ranked(names):
    """Return the variants by their mean accuracies, the best first."""
    return sorted(names, key=lambda name: -statistics.mean(results(name)))


def ranking(language, names):
    """Return the table of these variants."""
    found = []
    for name in ranked(names):
        found.append([label(name, language), average(name), reach(name, language)])
        found[-1].append(duration(name, language))
    head = "command or edited lines | mean accuracy | lowest to highest (seeds) | time"
    if language == "ja":
        head = "コマンド、書き換え | 正答率の平均 | 最小～最大（シード数） | 時間"
    return table(head, found)


def shapes(language, name):
    """Return the table of the layers of a network: the shape of what each returns, and its parameters."""
    found = []
    for layer in network(name).layers:
        shape = " x ".join(str(size) for size in layer.output.shape[1:])
        found.append([f"`{type(layer).__name__}`", shape, f"{layer.count_params()}"])
    found.append(["", "", FACTS["parameters"](name)])
    head = (
        "層 | 出力の形 | パラメーター数"
        if language == "ja"
        else "layer | output shape | parameters"
    )
    return table(head, found)


def differences(language):
    """Return the table of then and now, and why a variant is not in it."""
    found = []
    for name, margin in MARGINS.items():
        mean, low, high, p = difference(name, name)
        row = [label(name), f"{len(results(name))}", average(name, "book"), average(name)]
        found.append([*row, f"{mean:+.4f}", f"{low:+.4f} to {high:+.4f}", f"{margin}", f"{p:.2f}"])
    head = "script and options | runs | then | now | difference | 95 % interval | margin | p"
    lines = table(head, found)
    for number, declared in chapter.DIFFERENCES.items():
        lines += ["", f"{number} is not compared (no. {declared.row}): {declared.sentence}"]
    return lines


def speeds(language):
    """Return the table of speeds, in seconds."""
    runs = {
        "`tensorflow`": ["import-tensorflow", "02", "03", "04-book"],
        "`jax`": ["import-jax", "02-jax", "03-jax", "04-book-jax"],
        "`torch`": ["import-torch", "02-torch", "03-torch", "04-book-torch"],
        "`tensorflow`, one batch per call": [None, None, "03-plain", None],
        "`tensorflow`, mixed precision": [None, None, None, "04-book-mixed"],
    }
    found = [[head, *(f"{seconds(n):.1f}" if n else "" for n in runs[head])] for head in runs]
    return table(f"Keras on | `import keras` | `02` | `03` | {label('04-book')}", found)


def expect(language, number):
    """Return what follows `Expect:` in a script."""
    kind, found = "test accuracy", reach(RANGE[number])
    if number == "01":
        kind, found = "loss", found.replace(" (", ", accuracy 0.0 or 1.0 (")
    lines = [f"{kind} {found}, about {duration(number)}"]
    if number == "04":
        lines += [f"        with {VARIANTS['04-book'].flags}, as in the book:"]
        lines += [f"        {kind} {reach('04-book')}, about {duration('04-book')}"]
    return lines


PARTS = {
    "scripts": scripts,
    "exercises": functools.partial(ranking, names=EXERCISES),
    "iris": functools.partial(ranking, names=IRIS),
    "differences": differences,
    "speeds": speeds,
    "output": output,
    "command": command,
    "shapes": shapes,
}
PART = r"(<!-- generated: ([\w-]+) ?([\w-]*) -->\n)(?:(?!<!--).*\n)*(<!-- end -->)"
FACT = r"([-+]?\d(?:[\d.,]*\d)?(?:e-\d+)?)<!-- ([\w-]+)((?: [\w-]+)*) -->"


def filled_in(path):
    """Return the text of a page or a script with its parts and facts made anew; KeyError without one."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        lines = "\n".join(expect("script", path.name[:2]))
        return re.sub(r"(?s)(\nExpect: ).*?(\n\n)", lambda found: found[1] + lines + found[2], text)
    language = "ja" if path.name.endswith(".ja.md") else "en"

    def part(found):
        begin, name, argument, end = found.groups()
        return begin + "\n".join([*PARTS[name](language, *argument.split()), end])

    def fact(found):
        _, kind, arguments = found.groups()
        return f"{FACTS[kind](*arguments.split())}<!-- {kind}{arguments} -->"

    return re.sub(FACT, fact, re.sub(PART, part, text))


def outdated():
    """Return the pages and scripts that are not what the records say."""
    files = [*PAGES, *SCRIPTS.values()]
    return [path for path in files if filled_in(path) != path.read_text(encoding="utf-8")]


if __name__ == "__main__":
    for path in outdated():
        path.write_text(filled_in(path), encoding="utf-8", newline="\n")
        print("written:", path.relative_to(ROOT))
