package softtpm_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"edgewright/provisioning/tpm/softtpm"
)

// keeper makes this test program one that starts a TPM and waits to be killed.
const keeper = "EDGEWRIGHT_TEST_KEEPER"

func TestMain(m *testing.M) {
	if state := os.Getenv(keeper); state != "" {
		process, err := softtpm.Start(context.Background(), state, key(1))
		fmt.Println(process.Address, err)
		select {}
	}
	os.Exit(m.Run())
}

// A program that is killed takes its TPM with it: the next one may have the
// state, which two at once may not.
func TestEndsWithAKilledProgram(t *testing.T) {
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	state := filepath.Join(t.TempDir(), "state")
	program := exec.CommandContext(t.Context(), os.Args[0])
	program.Env = append(os.Environ(), keeper+"="+state)
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasSuffix(line, "<nil>\n") {
		t.Fatalf("the program says %q, %v", line, err)
	}
	socket := strings.TrimPrefix(strings.Fields(line)[0], "unix:")
	defer os.RemoveAll(filepath.Dir(socket))
	for path, want := range map[string]os.FileMode{filepath.Dir(socket): 0o700, socket: 0o600, socket + ".ctrl": 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, want %v, %v", path, info.Mode().Perm(), want, err)
		}
	}
	if _, err := endorsementKey(t, state, key(1)); !errors.Is(err, softtpm.ErrInUse) {
		t.Errorf("a second TPM over the same state: %v", err)
	}
	if err := program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = program.Wait()
	if _, err := endorsementKey(t, state, key(1)); err != nil {
		t.Errorf("after it was killed: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(socket)); err == nil {
		t.Error("the sockets of the killed program are left")
	}
	if _, err := os.Stat(filepath.Join(state, "sockets")); err == nil {
		t.Error("a closed TPM leaves the name of its sockets")
	}
}
