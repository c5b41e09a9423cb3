"""CT from DICOM: which series a folder holds, where its slices lie, and their Hounsfield units. Refused by name where it would mislead."""
