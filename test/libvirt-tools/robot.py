"""Operates the windows of one application through AT-SPI, as told by JSON on standard input, one command a line.

A widget is named by a path of parts with ` > ` between, each `role:name`: `frame:New VM > push button:Forward`. The name is a
regular expression that has to match from the start of the widget's name, or of the name of its label; without a colon any
name will do. Only what is showing counts.
Each command waits until it can be done, and answers one line: {"ok": ...} or {"error": "..."}.
"""

import json
import re
import sys
import time
from collections import Counter

import gi

gi.require_version("Atspi", "2.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Atspi, Gdk, GLib  # noqa: E402

LOOK_SECONDS = 0.05
CALL_MS = 5_000
WIDGETS_MAX = 4_000
COLOURS_MAX = 8
STEP = 8
SHOWING = Atspi.StateType.SHOWING
SENSITIVE = Atspi.StateType.SENSITIVE


def is_in(node, state):
    return node.get_state_set().contains(state)


def labels(node):
    """The names by which a widget goes: its own, and that of the label beside it."""
    yield node.get_name() or ""
    for relation in node.get_relation_set():
        if relation.get_relation_type() == Atspi.RelationType.LABELLED_BY:
            yield relation.get_target(0).get_name() or ""


def children(node):
    """The widgets right in a widget."""
    found = (node.get_child_at_index(index) for index in range(min(node.get_child_count(), WIDGETS_MAX)))
    return [child for child in found if child is not None]


def below(node):
    """Every widget in a widget, from the top down."""
    queue, seen = [node], 0
    while queue and seen < WIDGETS_MAX:
        seen += 1
        found = children(queue[0])
        yield from found
        queue = queue[1:] + found


def matches(node, part):
    role, _, name = part.partition(":")
    if node.get_role_name() != role or not is_in(node, SHOWING):
        return False
    return name == "" or any(re.match(name, label, re.DOTALL) for label in labels(node))


def look(path):
    """The widget of a path, or None where there is none now."""
    found = Atspi.get_desktop(0)
    for part in path.split(" > "):
        found = next((node for node in below(found) if matches(node, part)), None)
        if found is None:
            return None
    return found


def until(what, seconds, attempt):
    """Does something again until it answers what is true."""
    last = None
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            answer = attempt()
            if answer:
                return answer
        except GLib.Error as error:  # A widget goes while it is looked at.
            last = error.message
        time.sleep(LOOK_SECONDS)
    raise TimeoutError(f"waited {seconds} s for {what}; {last or 'there is'} {alerts()}")


def alerts():
    """What the dialogs say that are open."""
    said = []
    for window in children(Atspi.get_desktop(0)):
        for dialog in children(window):
            if dialog.get_role_name() == "alert" and is_in(dialog, SHOWING):
                said += [node.get_name() for node in below(dialog) if node.get_role_name() == "label"]
    return f"the message: {' '.join(said)}" if said else "no message"


def extents(node):
    """Where a widget is on the screen: x, y, width, height; nothing where it has no place."""
    place = node.get_component_iface()
    box = place.get_extents(Atspi.CoordType.SCREEN) if place else None
    return [box.x, box.y, box.width, box.height] if box and box.width > 0 and box.x >= 0 and box.y >= 0 else []


def described(node):
    """What can be seen of a widget."""
    text = node.get_text_iface()
    return {
        "role": node.get_role_name(),
        "name": node.get_name() or "",
        "text": text.get_text(0, -1) if text else "",
        "isChecked": is_in(node, Atspi.StateType.CHECKED),
        "isSensitive": is_in(node, SENSITIVE),
        "box": extents(node),
    }


def find(path, seconds):
    return described(until(path, seconds, lambda: look(path)))


def gone(path, seconds):
    return until(f"no {path}", seconds, lambda: look(path) is None)


def usable(path):
    node = look(path)
    return node if node is not None and is_in(node, SENSITIVE) else None


def can_use(path, seconds):
    """Whether a widget can be used before long."""
    try:
        return until(path, seconds, lambda: usable(path)) is not None
    except TimeoutError:
        return False


def click(path, seconds):
    """Clicks the middle of a widget with the mouse, once it stays where it is.

    The action that the widget has for the purpose would be simpler, but hangs where it opens a dialog that is waited for.
    """
    boxes = [None]

    def attempt():
        node = usable(path)
        boxes.append(node is not None and extents(node))
        return boxes[-1] and boxes[-1] == boxes[-2]

    x, y, width, height = until(path, seconds, lambda: attempt() and boxes[-1])
    return Atspi.generate_mouse_event(x + width // 2, y + height // 2, "b1c")


def unusable(path, seconds):
    """Waits until a widget cannot be used."""
    return until(f"{path} to be of no use", seconds, lambda: (node := look(path)) and not is_in(node, SENSITIVE))


def place(path, x, y, seconds):
    """Moves a window, which no window manager does here."""
    window = until(path, seconds, lambda: look(path))
    return window.get_component_iface().set_position(x, y, Atspi.CoordType.SCREEN)


def fill(path, value, seconds):
    """Types a value over what a field holds."""

    def attempt():
        node = usable(path)
        return node is not None and node.get_editable_text_iface().set_text_contents(value) and node

    until(path, seconds, attempt)
    return True


def choose(path, item, seconds):
    """Chooses an item of a combo box, by its name."""

    def attempt():
        combo = usable(path)
        if combo is None:
            return False
        items = [node for node in below(combo) if node.get_role_name() == "menu item"]
        at = next((at for at, node in enumerate(items) if re.match(item, node.get_name() or "")), None)
        return at is not None and combo.get_selection_iface().select_child(at)

    return until(f"{item} in {path}", seconds, attempt)


def select(path, seconds):
    """Puts the cursor on a cell of a table."""
    return until(path, seconds, lambda: (node := look(path)) and node.get_component_iface().grab_focus())


def shot(file, box):
    """A picture of a part of the screen."""
    picture = Gdk.pixbuf_get_from_window(Gdk.get_default_root_window(), *box)
    return picture.savev(file, "png", [], [])


def colours(box):
    """Of how many pixels of a part of the screen, of one in STEP each way, which is the colour, as six digits."""
    picture = Gdk.pixbuf_get_from_window(Gdk.get_default_root_window(), *box)
    pixels, width, channels = picture.get_pixels(), picture.get_width(), picture.get_n_channels()
    counts = Counter()
    for row in range(0, picture.get_height(), STEP):
        start = row * picture.get_rowstride()
        counts.update(pixels[at : at + 3] for at in range(start, start + width * channels, STEP * channels))
    return {colour.hex(): count for colour, count in counts.most_common(COLOURS_MAX)}


def tree(path):
    """Every widget that is showing in a widget, for whoever writes paths."""
    lines = []
    start = look(path) if path else Atspi.get_desktop(0)
    for node in below(start) if start else []:
        if is_in(node, SHOWING):
            lines.append(f"{node.get_role_name()}:{' | '.join(label for label in labels(node) if label)}")
    return lines


COMMANDS = {f.__name__: f for f in (find, gone, can_use, click, unusable, place, fill, choose, select, shot, colours, tree)}


def answer(line):
    try:
        command = json.loads(line)
        return {"ok": COMMANDS[command[0]](*command[1:])}
    except Exception as error:  # Whatever it is, whoever gave the command has to know.
        return {"error": f"{type(error).__name__}: {error}"}


Gdk.init([])
Atspi.init()
Atspi.set_timeout(CALL_MS, CALL_MS)
for request in sys.stdin:
    print(json.dumps(answer(request)), flush=True)
