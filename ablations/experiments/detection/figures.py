"""What a trial of detection measures, by name."""

from __future__ import annotations

from ablations.planning.metric import Metric

AP = Metric("ap", "AP", "%", "points", 2, False, "ap")
AP50 = Metric("ap50", "AP50", "%", "points", 2, False, "ap50")
AP75 = Metric("ap75", "AP75", "%", "points", 2, False, "ap75")
BY_SIZE = ("ap_small", "ap_medium", "ap_large")
MASK_AP = "mask_ap"
