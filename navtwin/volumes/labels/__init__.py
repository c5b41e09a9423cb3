"""Segmentations of other programs: label volumes, Slicer segmentations, DICOM segmentations and structure sets, as named structures."""
