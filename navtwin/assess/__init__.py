"""How far off are touched points? In the manner of ASTM F2554: single points, the pointer's orientation, distances; bias and precision apart."""
