"""What is not written yet: how much, what, and the buttons that write it or take it back. Refusals stand here, with their remedy."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from gui import theme
from gui.case.editing import Editing
from gui.case.parts import button, words

#: So many changes are told one by one.
MOST_TOLD = 3


class DraftBar(QFrame):
    """At the foot of the column; hidden while there is nothing to say."""

    def __init__(self, editing: Editing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing = editing
        self.setObjectName("footer")
        self.behind, self.refusal, self.changes = words(tone="warn"), words(tone="bad"), words()
        self.write_behind = button("Write them", "Write what was left of the other case", lambda: editing.write(editing.left_behind))
        self.drop_behind = button("Drop them", "Forget what was left of the other case", editing.drop_left_behind)
        self.write = button("Write to case.toml", "Write all changes to the case, checked first", editing.write, "primary", "Ctrl+S")
        self.back = button("Take back", "Take the last change back", editing.take_back, "small", "Ctrl+Z")
        self.drop = button("Drop all", "Take all changes back", editing.drop, "small")
        self.ask = words("These changes are not written. Write them, take them back, or leave them for later: they stay here.", "warn")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(6)
        behind = QHBoxLayout()
        behind.addWidget(self.write_behind)
        behind.addWidget(self.drop_behind)
        behind.addStretch()
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self.back)
        line.addWidget(self.drop)
        line.addWidget(self.write, 1)
        for part in (self.behind, behind, self.refusal, self.ask, self.changes, line):
            column.addWidget(part) if isinstance(part, QWidget) else column.addLayout(part)
        editing.changed.connect(self.refresh)
        editing.refused.connect(self._refused)
        self._left = False
        self._refused("")

    def set_scale(self, scale: float) -> None:
        for one in (self.write, self.back, self.drop, self.write_behind, self.drop_behind):
            one.setFixedHeight(round(40 * scale))

    def remind(self) -> None:
        """Somebody leaves the place: who comes back is asked about what he left unwritten."""
        self._left = True
        self.refresh()

    def refresh(self) -> None:
        """Show the draft."""
        draft, behind = self._editing.draft, self._editing.left_behind
        changes = draft.words() if draft is not None else ()
        self._left = self._left and bool(changes)
        told = list(changes[-MOST_TOLD:]) if len(changes) > MOST_TOLD else list(changes)
        head = f"{len(changes)} change{'s' if len(changes) != 1 else ''}, not written yet"
        more = [f"… and {len(changes) - len(told)} before"] if len(told) < len(changes) else []
        theme.say(self.changes, "\n".join([head, *more, *told]) if changes else "")
        self.ask.setVisible(self._left)
        busy = self._editing.writing
        faults = draft.faults() if draft is not None else ()
        self.write.setText("Writing …" if busy else "Write to case.toml")
        self.write.setEnabled(bool(changes) and not busy and not faults)
        self.write.setToolTip(f"First: {faults[0]}" if faults else "Write all changes to the case, checked first (Ctrl+S)")
        for one in (self.back, self.drop):
            one.setEnabled(not busy)
        for widget in (self.write, self.back, self.drop):
            widget.setVisible(bool(changes))
        left = f"{behind.unsaved_words()}." if behind is not None else ""
        theme.say(self.behind, left)
        for widget in (self.write_behind, self.drop_behind):
            widget.setVisible(behind is not None)
        self.setVisible(bool(changes) or behind is not None or bool(self.refusal.text()))

    def _refused(self, text: str) -> None:
        theme.say(self.refusal, text)
        self.refresh()
