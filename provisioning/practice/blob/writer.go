package blob

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// blockSize is how much a writer holds in memory.
const blockSize = 4 << 20

// Writer makes a block blob, or replaces it when it is closed. It is no longer
// of use after an error.
type Writer struct {
	ctx  context.Context
	in   *Container
	name string
	held []byte
	ids  []string
	err  error
}

// Writer begins a blob.
func (c *Container) Writer(ctx context.Context, name string) *Writer {
	return &Writer{ctx: ctx, in: c, name: name}
}

// Write implements io.Writer.
func (w *Writer) Write(part []byte) (int, error) {
	w.held = append(w.held, part...)
	for w.err == nil && len(w.held) > blockSize {
		w.err = w.stage(w.held[:blockSize])
		w.held = append([]byte(nil), w.held[blockSize:]...)
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(part), nil
}

// stage sends a block.
func (w *Writer) stage(block []byte) error {
	id := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%08d", len(w.ids)))
	w.ids = append(w.ids, id)
	return w.in.call(w.ctx, http.MethodPut, w.name, "comp=block&blockid="+url.QueryEscape(id), nil, block)
}

// Close sends what is left and makes the blob; one that fits into a block is
// sent as a whole.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	if len(w.ids) == 0 {
		return w.in.call(w.ctx, http.MethodPut, w.name, "",
			map[string]string{"x-ms-blob-type": "BlockBlob", "Content-Type": "text/plain; charset=utf-8"}, w.held)
	}
	if err := w.stage(w.held); err != nil {
		return err
	}
	list := `<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>` + strings.Join(w.ids, "</Latest><Latest>") + "</Latest></BlockList>"
	return w.in.call(w.ctx, http.MethodPut, w.name, "comp=blocklist",
		map[string]string{"Content-Type": "application/xml", "x-ms-blob-content-type": "text/plain; charset=utf-8"}, []byte(list))
}
