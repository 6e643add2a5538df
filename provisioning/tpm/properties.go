package tpm

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-tpm/tpm2"
)

// Properties are what a TPM says of itself.
type Properties struct {
	Manufacturer string // four letters or less, as in INTC
	Vendor       string // the vendor's own words, may be empty
	Firmware     string // two pairs of numbers, each vendor counts its own way
	Family       string // "2.0"
	Lockout      Lockout
	// EndorsementAuth, OwnerAuth and LockoutAuth tell whether a password is set.
	EndorsementAuth, OwnerAuth, LockoutAuth bool
	// EndorsementOff and OwnerOff tell that a hierarchy is switched off.
	EndorsementOff, OwnerOff bool
	// FreePersistent is how many keys can still be made persistent.
	FreePersistent int
}

// Lockout is the state of the protection against guessing.
type Lockout struct {
	Active     bool
	Count, Max int
	Interval   time.Duration // after which one wrong try is forgiven
}

// Properties reads them. A TPM in failure mode, which would answer nonsense, is
// an error.
func (t *TPM) Properties(ctx context.Context) (p Properties, err error) {
	err = t.use(ctx, "read the properties of the TPM", func(s sender) error {
		// Failure mode still answers GetCapability (Part 1, 11.4.4).
		if _, err := (tpm2.GetRandom{BytesRequested: 8}).Execute(s); err != nil {
			return err
		}
		values := map[tpm2.TPMPT]uint32{}
		for _, group := range [][2]tpm2.TPMPT{{tpm2.TPMPTFamilyIndicator, tpm2.TPMPTFirmwareVersion2}, {tpm2.TPMPTPermanent, tpm2.TPMPTLockoutInterval}} {
			if err := readProperties(s, group[0], group[1], values); err != nil {
				return err
			}
		}
		p = propertiesOf(values)
		return nil
	})
	return p, err
}

// readProperties reads those from first to last that the TPM has: one command where
// it answers all at once, as few as can be behind a shell that starts programs for
// each.
func readProperties(s sender, first, last tpm2.TPMPT, into map[tpm2.TPMPT]uint32) error {
	for first <= last {
		answer, err := tpm2.GetCapability{Capability: tpm2.TPMCapTPMProperties, Property: uint32(first), PropertyCount: uint32(last-first) + 1}.Execute(s)
		if err != nil {
			return err
		}
		list, err := answer.CapabilityData.Data.TPMProperties()
		if err != nil {
			return err
		}
		for _, entry := range list.TPMProperty {
			into[entry.Property] = entry.Value
			first = max(first, entry.Property+1)
		}
		if !answer.MoreData || len(list.TPMProperty) == 0 {
			return nil
		}
	}
	return nil
}

func property1(s sender, property tpm2.TPMPT) (uint32, error) {
	answer, err := tpm2.GetCapability{Capability: tpm2.TPMCapTPMProperties, Property: uint32(property), PropertyCount: 1}.Execute(s)
	if err != nil {
		return 0, err
	}
	list, err := answer.CapabilityData.Data.TPMProperties()
	if err != nil {
		return 0, err
	}
	for _, entry := range list.TPMProperty {
		if entry.Property == property {
			return entry.Value, nil
		}
	}
	return 0, nil // one that this TPM does not have
}

// Bits of TPMA_PERMANENT and TPMA_STARTUP_CLEAR (Part 2, 8.6 and 8.7).
const (
	permanentOwnerAuth       = 1 << 0
	permanentEndorsementAuth = 1 << 1
	permanentLockoutAuth     = 1 << 2
	permanentInLockout       = 1 << 9
	startupOwnerOn           = 1 << 1
	startupEndorsementOn     = 1 << 2
)

func propertiesOf(v map[tpm2.TPMPT]uint32) Properties {
	permanent, startup := v[tpm2.TPMPTPermanent], v[tpm2.TPMPTStartupClear]
	one, two := v[tpm2.TPMPTFirmwareVersion1], v[tpm2.TPMPTFirmwareVersion2]
	return Properties{
		Manufacturer: letters(v[tpm2.TPMPTManufacturer]),
		Vendor: strings.TrimSpace(letters(v[tpm2.TPMPTVendorString1]) + letters(v[tpm2.TPMPTVendorString2]) +
			letters(v[tpm2.TPMPTVendorString3]) + letters(v[tpm2.TPMPTVendorString4])),
		Firmware:        fmt.Sprintf("%d.%d.%d.%d", one>>16, one&0xFFFF, two>>16, two&0xFFFF),
		Family:          letters(v[tpm2.TPMPTFamilyIndicator]),
		OwnerAuth:       permanent&permanentOwnerAuth != 0,
		EndorsementAuth: permanent&permanentEndorsementAuth != 0,
		LockoutAuth:     permanent&permanentLockoutAuth != 0,
		OwnerOff:        startup&startupOwnerOn == 0,
		EndorsementOff:  startup&startupEndorsementOn == 0,
		FreePersistent:  int(v[tpm2.TPMPTHRPersistentAvail]),
		Lockout: Lockout{Active: permanent&permanentInLockout != 0, Count: int(v[tpm2.TPMPTLockoutCounter]),
			Max: int(v[tpm2.TPMPTMaxAuthFail]), Interval: time.Duration(v[tpm2.TPMPTLockoutInterval]) * time.Second},
	}
}

// letters is a property that holds four ASCII characters, padded with zeros.
// What is not printable is left out.
func letters(value uint32) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(binary.BigEndian.AppendUint32(nil, value)))
}
