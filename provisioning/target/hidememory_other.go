//go:build !linux

package target

func HideMemory() {}
