"""The words of the help."""

from __future__ import annotations

from gui.desktop.keys import PlaceName

PLACE_HELP: dict[PlaceName, tuple[str, ...]] = {
    "case": (
        "A case is a folder: the CT, structures with their limits, landmarks, plans and what is known of the patient. "
        "Open one, or make one from a CT.",
        "A CT brings no structures. Make bone by a threshold, vessels and nerves as tubes, tumours as spheres or painted slices, with the error that "
        "you would not be surprised by: it widens the error bar of every distance to them.",
        "Nothing is written to case.toml until you say so.",
    ),
    "calibrate": (
        "A rig is a tracker, marker bodies and tools. What is not calibrated cannot be navigated by, and each step says so.",
        "A small residual tells how well the samples agree, not how accurate the result is: look at the standard deviation, "
        "and check with a known point.",
        "Start a session here: its core goes on by itself, whatever becomes of this window.",
    ),
    "register": (
        "Touch the landmarks in order, hold still while the ring fills, then sweep the bone. The gate accepts or refuses, and says why.",
        "The residual (FRE) is not accuracy. The map on the bone is the expected error where you will work; "
        "check it by touching a point that you know.",
    ),
    "navigate": (
        "The picture, the slices and the bullseye follow the tip; the strip tells the distance to every watched structure, each by itself.",
        "The bound is the distance less twice its error and less the way made until you can react: limits act on it, "
        "and on contact the distance itself.",
        "What is not known is hatched or a dash. It is never an old number.",
    ),
    "review": (
        "The log holds every input. What you see was computed then, to the bit.",
        "Bookmarks of your own are kept beside the log; the log itself is never changed.",
    ),
}
PLACE_KEYS: dict[PlaceName, tuple[tuple[str, str], ...]] = {
    "case": (
        ("Ctrl+S", "write what was changed to case.toml"), ("Ctrl+Z", "take back"),
        ("Ctrl+1 to Ctrl+5", "structures, plan, landmarks, patient, tools"),
        ("N", "add a plan by two clicks"), ("E, G", "place a plan's entry, its target"), (", .", "walk along the plan"),
        ("N, E, G, Delete", "among the landmarks: add, place anew, go there, take out"),
        ("W", "grey window of the slices; Alt and drag sets one"), ("wheel", "slice by slice; with Ctrl nearer and farther"),
        ("Home", "all of the scan"), ("O", "outlines"), ("X", "one view alone"), ("F", "bone solid or see-through"), ("Y", "only what is watched"),
        ("Shift+A P L R S I", "look from a side of the patient"), ("H", "in the list: show or hide"),
        ("Ctrl+L", "give the running session these limits"), ("Ctrl+F", "what the check finds"), ("Ctrl+N", "new case from a CT"),
        ("B, V, S, D", "among the tools: bone, tube, sphere, paint"), ("Ctrl+Shift+Z", "redo a stroke"), ("Delete", "take the chosen point out"),
        ("Return", "close an outline"), ("Ctrl+Return", "make the structure"), ("Esc", "lay the tool down; its draft stays"),
    ),
    "calibrate": (
        ("Up, Down", "choose a step"), ("Return", "start"), ("F", "finish: that is enough, compute"), ("Esc", "cancel; nothing is stored"),
        ("A, X", "accept, reject the result"), ("N", "next step"), ("Z", "evidence larger, or back"), ("Backspace", "back to what is asked"),
        ("G, C", "pivot in the running session; from camera or recording"), ("L", "recording of the last session"), ("H", "show the clock"),
        ("W", "look for cameras, browse"), ("S, E", "start, end the session"), ("O, D, B, I", "open a rig; demonstration rig; new kit; bring in"),
    ),
    "register": (
        ("Return", "touch the next landmark, or the chosen one"), ("Backspace", "break off"), ("Up, Down", "choose a landmark"),
        ("L", "use the landmark, or leave it out"), ("W", "begin or end a sweep"), ("Ctrl+Z", "take back the last"),
        ("Y", "landmarks alone, or with the surface"), ("R", "compute"), ("A, X", "accept it, reject it"),
        ("C", "check: touch the chosen landmark, or the bone anywhere"), ("G", "the predicted error on the bone"), ("H", "look at all landmarks"),
    ),
    "navigate": (
        ("Ctrl+1 to Ctrl+4", "stand posterior, left, at the head, behind the tip"), ("S", "slices"), ("W", "their grey window"),
        ("+, -", "their magnification"), ("B", "bullseye"), ("V", "augmented view"), ("F", "freeze this picture"), ("N", "skin"),
        ("Shift+S, P, D, I, M", "over the live picture: structures, plan, drilling, instrument, markers"),
        ("[, ]", "its drawing fainter, stronger"), ("Shift+C", "another camera"),
    ),
    "review": (
        ("O", "open a log"), ("L", "play or pause"), ("Left, Right", "a frame back, a frame on"),
        ("Shift+Left, Shift+Right", "last, next alert"),
        ("-, +", "slower, faster"), ("B", "bookmark"), ("0, 9", "the whole session, the navigation"), ("Ctrl+K", "compare with another log"),
        ("Ctrl+H, Ctrl+P", "report as HTML, as PDF"),
    ),
}  # fmt: skip
WARNINGS: tuple[str, ...] = (
    "Red, flashing twice a second, ten pulses: DANGER or CONTACT, or a technical alarm while something near is no longer known. Act now.",
    "Yellow, flashing slowly, three pulses: CAUTION, or a technical alarm that needs you soon.",
    "Cyan, steady, one pulse: for your information.",
    "Each group of structures has a voice of its own; technical alarms have another.",
    "Acknowledging silences that alert at that level only. It sounds again as soon as it rises.",
)
ABOUT: tuple[str, ...] = (
    "Research and rehearsal software, not a medical device.",
    "It must not be used for the diagnosis or treatment of patients. It claims conformity with no standard.",
)
