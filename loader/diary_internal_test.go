package loader

import (
	"fmt"
	"strings"

	"chancery/graph"
)

// diary is a form made up for an example: day; who; what; whom.
type diary struct{}

func (diary) Name() string { return "diary" }

func (diary) Title() string { return "Diaries" }

func (diary) Rows() rowReader { return diary{} }

func (diary) Detect(head []byte) bool {
	line, _, _ := strings.Cut(string(head), "\n")
	fields := strings.Split(strings.TrimSuffix(line, "\r"), "; ")
	_, err := graph.ParseDay(fields[0])
	return err == nil && len(fields) == 4
}

// Header finds none: the first line is a row like the others.
func (diary) Header(string) (bool, string) { return false, "" }

// diaryVerbs are the words of diaries, by what CAMEO has for them.
var diaryVerbs = map[string]string{"met": "044", "called": "041", "praised": "051"}

func (diary) Row(line string, v *graph.Vocabulary, c *graph.CAMEO) (*feedRecord, *Rejection) {
	f := strings.Split(line, "; ")
	if len(f) != 4 {
		return nil, &Rejection{Reason: fmt.Sprintf("has %d columns, not 4", len(f))}
	}
	code, ok := diaryVerbs[f[2]]
	if !ok {
		return nil, &Rejection{Column: "what", Reason: fmt.Sprintf("%q is not a word of diaries", clip(f[2]))}
	}
	r := &feedRecord{
		Source: actor{Column: "who", Name: f[1], Kind: graph.KindPerson},
		Target: actor{Column: "whom", Name: f[3]},
	}
	if bad := r.happened(v, c, code, "what", f[0], "day"); bad != nil {
		return nil, bad
	}
	return r, nil
}
