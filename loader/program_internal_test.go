package loader

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"
)

// TestProgram: two builds are told apart by what is in them.
func TestProgram(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(file)
	if want := hex.EncodeToString(sum[:]); program() != want {
		t.Errorf("got %s, want %s", program(), want)
	}
}
