"""The structures of the case: the list, and below it what is declared of the chosen one."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from gui import theme
from gui.case.editing import Editing
from gui.case.parts import button, words
from gui.case.structure_details import StructureDetails
from gui.case.structure_list import ROW_PX, StructureList

#: Of the column, at most, for the list; and what its frame takes of it.
LIST_SHARE, SPARE_PX = 0.58, 14
NOTHING_WATCHED = "Nothing is being watched: no structure has limits, so no distance warns. Choose one and make it watched."
NO_STRUCTURES = "A CT has no labels: make structures with the tools, bone first, then what must not be hurt."


class StructuresPage(QWidget):
    """List and details.

    Signals
    -------
    sought : the name of a structure to go to in the pictures
    tools_wanted : there are no structures, and somebody wants to make some
    """

    sought = Signal(str)
    tools_wanted = Signal()

    def __init__(self, editing: Editing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editing = editing
        self._names: list[str] = []
        self.note = words(tone="warn")
        self.to_tools = button("Make structures", "Go to the tools", self.tools_wanted.emit, "primary", "Ctrl+5")
        self.list = StructureList()
        self.details = StructureDetails(editing)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.details)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.addWidget(self.list)
        self.split.addWidget(scroll)
        self.split.setChildrenCollapsible(False)
        self.split.setSizes([320, 230])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.note)
        column.addWidget(self.to_tools)
        column.addWidget(self.split, 1)
        self.list.chosen.connect(self.details.show_structure)
        self.list.turned.connect(editing.turn)
        self.list.sought.connect(self.sought)
        editing.changed.connect(self.refresh)
        editing.opened.connect(self._opened)

    def set_scale(self, scale: float) -> None:
        self.list.set_scale(scale)
        self.details.set_scale(scale)
        self.to_tools.setFixedHeight(round(40 * scale))

    def choose(self, name: str) -> None:
        """Choose a structure: it was met in a picture."""
        self.list.choose(name)

    def refresh(self) -> None:
        """Show the draft."""
        draft = self._editing.draft
        entries = draft.now.structure if draft is not None else ()
        before = {one.name: one for one in draft.written.structure} if draft is not None else {}
        self.list.structures.show(entries, self._editing.looks, frozenset(one.name for one in entries if before.get(one.name) != one))
        watched = any(one.role == "critical" for one in entries)
        theme.say(self.note, "" if draft is None or watched else NOTHING_WATCHED if entries else NO_STRUCTURES)
        self.to_tools.setVisible(draft is not None and not entries)
        self.split.setVisible(bool(entries))

    def _opened(self) -> None:
        name = self.list.current
        entries = self._editing.case.structure if self._editing.case is not None else ()
        names = [one.name for one in entries]
        if name not in names:
            first = next((one.name for one in entries if one.role == "critical"), names[0] if names else "")
            self.refresh()
            self.list.choose(first)
            self.details.show_structure(first)
        whole = sum(self.split.sizes())
        rows = round(ROW_PX * self.list.rows.scale * max(1, len(names))) + SPARE_PX
        if whole and names != self._names:
            # A short list leaves its room to what is told below it.
            self.split.setSizes([min(rows, round(LIST_SHARE * whole)), whole - min(rows, round(LIST_SHARE * whole))])
        self._names = names
