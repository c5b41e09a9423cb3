"""Triangle surfaces of other programs: STL, PLY, OBJ, VTK and VTP, in and out; what is wrong with them, and mending it."""
