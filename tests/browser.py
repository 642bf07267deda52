"""A page in a real browser, Chromium or Chrome without a window: run JavaScript in it, press, drag, take a picture.

The browser is told what to do by the Chrome DevTools Protocol, over two pipes: JSON, with a zero byte at its end.
"""

import base64
import contextlib
import json
import os
import select
import shutil
import signal
from pathlib import Path

NAMES = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"
ON_A_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
PATIENCE = 30  # seconds
STROKES = Path(__file__).with_name("strokes.json")


def read_strokes():
    """Return {digit: its strokes} of the ten drawings, each stroke a list of points from 0 to 1."""
    return json.loads(STROKES.read_text(encoding="utf-8"))


def find_browser():
    """Return the path of a browser, or None; on Windows none, where a process is given its pipes in another way."""
    if not hasattr(os, "posix_spawn"):
        return None
    return next(filter(None, map(shutil.which, [*NAMES, ON_A_MAC])), None)


class Browser:
    """A browser with one page. OSError if it does not start or stops to answer."""

    def __init__(self, path, folder, *flags):
        """Start a browser that keeps its own files in a folder."""
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        self.commands = os.fdopen(self.commands, "wb")
        # Root can have no sandbox, and the pages are ours
        always = ["--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu"]
        quiet = [
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-frame-rate-limit",
        ]
        command = [path, *always, *quiet, f"--user-data-dir={folder}", *flags]
        files = [(os.POSIX_SPAWN_DUP2, commands, 3), (os.POSIX_SPAWN_DUP2, answers, 4)]
        files += [(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
        self.process = os.posix_spawn(path, command, os.environ, file_actions=files)
        os.close(commands)
        os.close(answers)
        self.count, self.received, self.session = 0, b"", {}

    def open(self, address):
        """Open a page and wait until it is there."""
        if not self.session:
            target = self.ask("Target.createTarget", url="about:blank")["targetId"]
            attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
            self.session = {"sessionId": attached["sessionId"]}
        if problem := self.ask("Page.navigate", url=address).get("errorText"):
            raise OSError(f"{address} cannot be opened: {problem}")
        self.run("new Promise(go => document.readyState === 'complete' ? go() : (onload = go))")

    def ask(self, method, **given):
        """Let the browser do something; return its answer. RuntimeError if it refuses."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": given} | self.session
        self.commands.write(json.dumps(message).encode() + b"\0")
        self.commands.flush()
        while (answer := self.next_message()).get("id") != self.count:
            pass  # an event, of which nobody wants to know
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def next_message(self):
        """Return the next message of the browser."""
        while b"\0" not in self.received:
            if not select.select([self.answers], [], [], PATIENCE)[0]:
                raise OSError(f"the browser has been silent for {PATIENCE} seconds")
            part = os.read(self.answers, 2**20)
            if not part:
                raise OSError("the browser has ended")
            self.received += part
        message, _, self.received = self.received.partition(b"\0")
        return json.loads(message)

    def run(self, code):
        """Run JavaScript in the page; return its value, waiting for it. RuntimeError if it fails."""
        answer = self.ask(
            "Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def drag(self, points):
        """Press the mouse at the first point (in pixels of the page), move it to the others, and release it."""
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 1), "mouseReleased"]
        for kind, (x, y) in zip(kinds, [*points, points[-1]], strict=True):
            pressed = {"button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": 1}
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **pressed)

    def touch(self, points):
        """Put a finger on the first point, move it to the others, and lift it."""
        kinds = ["touchStart", *["touchMove"] * (len(points) - 1)]
        for kind, (x, y) in zip(kinds, points, strict=True):
            self.ask("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y}])
        self.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def picture(self):
        """Return what the page looks like, as a PNG."""
        return base64.b64decode(
            self.ask("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        )

    def close(self):
        """End the browser."""
        with contextlib.suppress(OSError, RuntimeError):
            self.session = {}
            self.ask("Browser.close")
        with contextlib.suppress(OSError):
            self.commands.close()
        os.close(self.answers)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


class Sheet:
    """The page of draw_a_digit.py in a browser, to draw on."""

    def __init__(self, browser, path):
        self.browser = browser
        browser.open(path.absolute().as_uri())

    def run(self, code):
        """Wait until the page shows what has come of the last event, then run JavaScript; return its value."""
        return self.browser.run(f"new Promise(go => setTimeout(() => go({code})))")

    def drag(self, points, how=Browser.drag):
        """Drag the mouse (or a finger: Browser.touch) over points of the field, from 0 to 1."""
        box = "(({ x, y, width }) => [x, y, width])(field.getBoundingClientRect())"
        left, top, side = self.run(box)
        how(self.browser, [(left + side * x, top + side * y) for x, y in points])

    def draw(self, strokes, how=Browser.drag):
        """Draw strokes, one after the other."""
        for stroke in strokes:
            self.drag(stroke, how)

    def press(self, key):
        """Press and release a key."""
        for kind in "keyDown", "keyUp":
            self.browser.ask("Input.dispatchKeyEvent", type=kind, key=key)

    def click(self, name):
        """Click on a button or a switch."""
        self.run(f"{name}.click()")

    def image(self):
        """Return the 784 values that the network gets, as the page shows them, from 0 to 255."""
        pen = "image.getContext('2d')"
        return self.run(f"Array.from({pen}.getImageData(0, 0, 28, 28).data)")[3::4]

    def answer(self):
        """Return what the page says, and its ten percentages."""
        said = self.run("answer.textContent")
        return said, self.run("[...bars.rows].map(row => row.cells[2].textContent)")

    def reads(self, digit, strokes):
        """Draw the strokes of a digit, and clear the field again; return whether the page read it."""
        self.draw(strokes)
        said, _ = self.answer()
        self.click("clear")
        return digit in said
