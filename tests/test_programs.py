"""What each script hands to Keras is what programs.txt says, and each option changes what it should, nothing else."""

import re

from files import options_of, source
from programs import changes, read_programs, write_program
from running import hand_over, lines_for_few

# For each option a value to try, one to try with all the others, and the lines that come of a value
OPTIONS = {
    "--epochs": (3, 1000, ["fit epochs={}"]),
    "--batch-size": (7, 59_999, ["fit batch_size={}"]),
    "--seed": (5, 2**32 - 1, ["first weights of seed {}"]),
    "--quiet": ("", "", ["fit verbose=0"]),
    "--optimizer": ("adam", "adam", ["Adam(learning_rate=0.001, epsilon=1e-07)"]),
    "--activation": ("relu", "tanh", ["Activation({})"]),
    "--validation-split": (0.1, 0.9, ["fit validation_split={}"]),
    "--steps-per-execution": (25, 1875, ["compile steps_per_execution={}"]),
    "--show": ("", "", ["plt.show()"]),
}
SPLIT_BY_SEED = ["02", "05"]  # where the seed says, too, which rows are the test data
ALONE = []  # options that do nothing beside the others, as one of SGD beside `--optimizer adam`


def new_lines(number, flags):
    """Return the lines that a script hands over with these flags only; rows change where the seed splits them."""
    plain, found = lines_for_few(source(number)), lines_for_few(source(number), flags)
    assert len(found) >= len(plain), f"{number} {flags}: something is no more"
    changed = changes(plain, found)
    new = [line[2:] for line in changed if line[0] == "+"]
    old = {line[2:] for line in changed if line[0] == "-"}
    assert old.isdisjoint(found), f"{number} {flags}: not everywhere: {old & {*found}}"
    of_rows = [line for line in new if re.match("[xy]_|Normalization", line)]
    assert bool(of_rows) == ("--seed" in flags and number in SPLIT_BY_SEED), (
        f"{number} {flags}: other rows: {of_rows}; if its seed splits the data, say so in SPLIT_BY_SEED"
    )
    return sorted(set(new) - set(of_rows))


def test_a_script_hands_over_its_program(number, pytestconfig):
    lines = hand_over(source(number)).lines
    assert any(line.startswith("prints ") for line in lines), "it does not print the accuracy"
    inputs = [line.partition(" ")[2] for line in lines if line.startswith("x_")]
    assert len(inputs) == len(set(inputs)), "it is tested with data that it was trained with"
    if pytestconfig.option.update:
        write_program(number, number, lines)
    assert changes(read_programs().get(number, ("", []))[1], lines) == [], (
        f"{number} hands something else to Keras than programs.txt says. If that is what you want: "
        "python -m pytest --update, then what the tests name"
    )


def test_an_option_changes_what_it_should_and_nothing_else(number):
    for option in options_of(number):
        assert option in OPTIONS, f"{number} has an option {option}: say in OPTIONS what it changes"
        value, _, lines = OPTIONS[option]
        assert lines, f"{option} must change something"
        wanted = sorted({line.format(value) for line in lines})
        assert new_lines(number, f"{option} {value}") == wanted, f"{number} {option}"


def test_all_options_together_change_the_same(number):
    together = [one for one in options_of(number) if one in OPTIONS and one not in ALONE]
    tried = [(option, *OPTIONS[option][1:]) for option in together]
    flags = " ".join(f"{option} {value}" for option, value, _ in tried)
    assert new_lines(number, flags) == sorted(
        {line.format(value) for _, value, lines in tried for line in lines}
    ), f"{number} {flags}: an option that does nothing beside the others belongs into ALONE"
