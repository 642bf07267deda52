"""Write all that the pages and the scripts show of the records: `python tests/tools/pages.py`.

A part of a page stands between `<!-- generated: NAME -->` and `<!-- end -->`; in a script it is what follows
`Expect:`. A number in a sentence stands before the name of its fact: `0.9780<!-- mean 04-book -->`.
The head of a table is text. `language` is 0 for English and 1 for Japanese, as in the pairs of variants.toml.
"""

import json
import math
import re
import statistics
from functools import cache

import measure
from measure import ENDINGS, ROOT, SCRIPTS, TWINS, VARIANTS
from scipy import stats

# isort: split
import chapter  # measure says where it is

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("tutorials/*.md"), *ROOT.glob("tests/*.md")])
# The variants on 03 and on 02, without those that are there for their time
EXERCISES = [name for name, one in VARIANTS.items() if one.script == "03" and not one.speed]
IRIS = [name for name, one in VARIANTS.items() if one.script == "02" and not one.speed]
COMPARED = [name for name, one in VARIANTS.items() if one.script not in chapter.DIFFERENCES]
MARGINS = {name: VARIANTS[name].margin for name in COMPARED if VARIANTS[name].margin}
PROGRAMS = measure.recorded_programs()
# {number of a script: the last lines of its recorded output}
OUTPUTS = json.loads(ENDINGS.read_text(encoding="utf-8"))
SETUP = measure.read("setup")[0]  # the one that was measured first, on Linux
TOLERANCES = {**chapter.UPDATE_TOLERANCE, "output": chapter.OUTPUT_TOLERANCE}
LAYERS = {name: chapter.build_today(chapter.today(name)).layers for name in SCRIPTS}
# What came of a variant, in each language, and how seconds and minutes are written
OUTCOME = [
    ("{low:.4f} to {high:.4f} ({runs}) | {time}", "\u00a0s", "\u00a0min"),
    ("{low:.4f}～{high:.4f}（{runs}） | {time}", "\u00a0秒", "\u00a0分"),
]
# The Pythons that a script asks for, and the first that it does not
OLDEST, NEXT = re.findall(r'3\.(\d+)[",]', SCRIPTS["01"].read_text(encoding="utf-8"))
PYTHONS = {"oldest": f"3.{OLDEST}", "newest": f"3.{int(NEXT) - 1}", "next": f"3.{NEXT}"}


@cache
def read(record):
    """Return {variant: its recorded runs by seed}."""
    runs = sorted(measure.read(record), key=lambda run: int(run["seed"]))
    return {name: [run for run in runs if run["variant"] == name] for name in VARIANTS}


def results(name, record="results", column=None):
    """Return a column of the runs of a variant; if none is named the loss of 01, else the accuracy."""
    column = column or ("loss" if name == "01" else "accuracy")
    if not read(record)[name]:
        raise ValueError(f"{name} has no runs yet; run: python tests/tools/measure.py {name}")
    return [float(run[column]) for run in read(record)[name]]


def average(name, record="results"):
    return f"{statistics.mean(results(name, record)):.4f}"


def ranked(names):
    return sorted(names, key=average, reverse=True)


def difference(then, now):
    """Return today's mean minus the book's, its 95 % interval (Welch), and p (Mann and Whitney)."""
    then, now = results(then, "book"), results(now)
    interval = stats.ttest_ind(now, then, equal_var=False).confidence_interval()
    mean = statistics.mean(now) - statistics.mean(then)
    return mean, *interval, stats.mannwhitneyu(then, now).pvalue


def seconds(name):
    """Return the usual time of a run: of the first three, which are taken in turn with all variants."""
    return statistics.median(results(name, column="seconds")[:3])


def program(name, what):
    """Return a number of a recorded program, as text: "epochs", "batches of", "x" or a setting."""
    return re.search(rf"\b{what}[ =(]+([\d.e-]+)", PROGRAMS["results", name])[1]


def rows(name):
    """Return how many rows a variant is trained with; a record's program has fewer images."""
    return 60_000 if VARIANTS[name].script in ("03", "04") else int(program(name, "x"))


def batches(name):
    return math.ceil(rows(name) / int(program(name, "batches of")))


def layer(name, kind):
    """Return a layer of a script by its class: "Conv2D" the first, "Conv2D-2" the second."""
    kind, _, count = kind.partition("-")
    return [one for one in LAYERS[name] if type(one).__name__ == kind][int(count or 1) - 1]


GAPS = ["mean", "low", "high"]
FACTS = {
    "mean": average,
    "low": lambda name: f"{min(results(name)):.4f}",
    "high": lambda name: f"{max(results(name)):.4f}",
    "runs": lambda name: len(results(name)),
    "gap": lambda name, which: f"{difference(name, name)[GAPS.index(which)]:+.4f}",
    "printed": lambda name: f"{VARIANTS[name].printed:.4f}",
    "seconds": lambda name: f"{seconds(name):.0f}",
    "memory": lambda name: f"{max(results(name, column='peak_mib')) * 2**20 / 1e9:.1f}",
    "epochs": lambda name: program(name, "epochs"),
    "batch": lambda name: program(name, "batches of"),
    "batches": batches,
    "updates": lambda name: batches(name) * int(program(name, "epochs")),
    "setting": program,
    "parameters": lambda name: sum(one.count_params() for one in LAYERS[name]),
    "parameters-of": lambda name, kind: layer(name, kind).count_params(),
    "size": lambda name, kind, axis: layer(name, kind).output.shape[int(axis)],
    "download": lambda: SETUP["download_mb"],
    "installed": lambda: f"{int(SETUP['installed_mb']) / 1000:.1f}",
    "python": lambda which: PYTHONS[which],
    "tolerance": lambda name: f"{TOLERANCES[name]:g}".replace("e-0", "e-"),
}


def label(name, language=0):
    """Return what a variant is called, each flag as code of its own."""
    one = VARIANTS[name]
    return one.label[language] if one.label else f"`{one.command}`".replace(" --", "` `--")


def outcome(name, form, second, minute):
    found = results("02" if name == "05" else name)  # 05 trains the network of 02, with its seeds
    time = seconds(name)
    time = f"{time:.0f}{second}" if time < 90 else f"{time / 60:.0f}{minute}"
    return form.format(low=min(found), high=max(found), runs=len(found), time=time)


def table(lines):
    """Return the rows of a table, " | " between cells; each flag begins a line, so that none ends within it."""
    return "\n".join(f"| {line} |".replace(" `--", "<br>`--") for line in lines)


@cache
def parts(language):
    """Return {name: text} of the parts of the pages in a language."""
    found, lines = {}, []
    for number, path in SCRIPTS.items():
        one = VARIANTS[number]
        file = [path, TWINS[number]][language].name
        link = f"4.{int(number) + 2} [{file}](tutorials/{file})"
        printed = f"{one.printed:.4f}" if one.printed else "–"
        loss = ["loss ", "損失 "][language] if number == "01" else ""
        cells = f"{link}<br>{one.teaches[language]} | {loss}{printed}"
        lines.append(f"{cells} | {loss}{outcome(number, *OUTCOME[language])}")
    found["scripts"] = table(lines)
    for part, names in {"exercises": EXERCISES, "iris": IRIS}.items():
        cells = {name: f"{label(name, language)} | {average(name)}" for name in ranked(names)}
        found[part] = table(f"{cells[one]} | {outcome(one, *OUTCOME[language])}" for one in cells)

    lines = []
    for one in LAYERS["04"]:
        shape = " x ".join(str(size) for size in one.output.shape[1:])
        lines.append(f"`{type(one).__name__}` | {shape} | {one.count_params()}")
    found["shapes 04"] = table([*lines, f" |  | {FACTS['parameters']('04')}"])

    lines = []
    for name, margin in MARGINS.items():
        mean, low, high, p = difference(name, name)
        means = f"{len(results(name))} | {average(name, 'book')} | {average(name)} | {mean:+.4f}"
        lines.append(f"{label(name)} | {means} | {low:+.4f} to {high:+.4f} | {margin} | {p:.2f}")
    found["differences"] = table(lines)
    for number, declared in chapter.DIFFERENCES.items():
        row = f"[no. {declared.row}](../tutorials/changes.md#no-{declared.row})"
        found["differences"] += f"\n\n{number} is not compared ({row}): {declared.sentence}"

    for number in "01", "02", "03", "05":
        found[f"output {number}"] = "\n".join(["```text", *OUTPUTS[number], "```"])
    for name in "01", "02", "03", "03-adagrad", "04-book", "05":
        path = [SCRIPTS, TWINS][language][VARIANTS[name].script]
        typed = f".venv/bin/python tutorials/{path.name} {VARIANTS[name].flags}".strip()
        windows = typed.replace("/bin/", "/Scripts/").replace("/", "\\")
        found[f"command {name}"] = f"```sh\n{typed}\n```\n\n```powershell\n{windows}\n```"
    return found


# What follows `Expect:` in a script: the result of 01, of the others, and of a shorter run of 04
RANGE = "{low:.4f} to {high:.4f} ({runs} seeds), about {time}"
RANGE_JA = "{low:.4f}～{high:.4f}（シード{runs}通り）、約{time}"
EXPECT = [
    (
        f"test accuracy 0.0 or 1.0, loss {RANGE}",
        f"test accuracy {RANGE}",
        "with {}, as in the book:",
    ),
    (
        f"テストデータの正答率は0.0か1.0、損失は{RANGE_JA}",
        f"テストデータの正答率は{RANGE_JA}",
        "本の実行例と同じ {} では、",
    ),
]
UNITS = [(" seconds", " minutes"), ("秒", "分")]


def expect(name, language):
    """Return what follows `Expect:` in a script, in English (0) or in Japanese (1)."""
    loss, accuracy, shorter = EXPECT[language]
    text = outcome(name, loss if name == "01" else accuracy, *UNITS[language])
    if name == "04":
        text += f"\n        {shorter.format(VARIANTS['04-book'].flags)}"
        text += f"\n        {expect('04-book', language)}"
    return text


PART = r"(<!-- generated: (.*) -->\n(?:.*\n\| ---.*\n)?)(?:(?!<!--).*\n)*(<!-- end -->)"
FACT = r"[-+]?\d(?:[\d.,]*\d)?(?:e-\d+)?(<!-- ([\w-]+)((?: [\w-]+)*) -->)"


def filled_in(path):
    """Return the text of a page with its parts and facts made anew, or of a script with its `Expect:`."""
    text = path.read_text(encoding="utf-8")
    language = int(".ja." in path.name)
    if path.suffix == ".py":
        return re.sub(r"(?s)(?<=\nExpect: ).*?(?=\nMarks:)", expect(path.name[:2], language), text)
    known = parts(language)
    try:
        text = re.sub(PART, lambda part: f"{part[1]}{known[part[2]]}\n{part[3]}", text)
        return re.sub(FACT, lambda fact: f"{FACTS[fact[2]](*fact[3].split())}{fact[1]}", text)
    except (LookupError, TypeError) as error:
        raise ValueError(f"{path} has a part or a fact that is not here: {error}") from error


if __name__ == "__main__":
    for path in [*PAGES, *SCRIPTS.values(), *TWINS.values()]:
        path.write_text(filled_in(path), encoding="utf-8", newline="\n")
