package graph

// Throughout says whether a period holds on the days of a window whichever of
// them is meant: Certain when it certainly holds on every one, Possible when
// it possibly holds on some, else the empty string. It answers "which office
// did they hold then?" where the day of the act is itself uncertain.
func (b Bounds) Throughout(w Window) Certainty {
	switch {
	case b.Earliest > w.To || b.Latest < w.From:
		return ""
	case b.CertainFrom <= w.From && b.CertainTo >= w.To:
		return Certain
	}
	return Possible
}
