"""Small files of other programs, in and out: points and lines, transforms, tool geometry, cameras."""
