"""What a script does on purpose otherwise than the chapter."""

# By the name of a program of chapter.py, each variant by its own: the row of "What changed since the book" that says
# so, and the lines of programs.txt that differ, "- " before those of the chapter and "+ " before those of the script,
# as in {"04": (24, ["- Dropout(0.25)"]), "04-book": (24, ["- Dropout(0.25)"])}. Its runs are then not compared.
DIFFERENCES = {}
