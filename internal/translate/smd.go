package translate

import (
	"context"
	"time"

	"v3gate/internal/fault"
)

type smdIn struct {
	SMD string `v3:"smd"`
}

// smdExtractOut is BaseSMDReturn.
type smdExtractOut struct {
	DateExpire time.Time `v3:"date_expire"` // UTC, notAfter of the file
	Labels     []string  `v3:"labels"`
	MarkName   string    `v3:"mark_name"`
	UID        string    `v3:"uid"`
}

// smdExtract reads a file and keeps nothing. A file that cannot be read is
// 523537, which is inferred.
func smdExtract(_ context.Context, _ *Call, in smdIn) (smdExtractOut, error) {
	m, err := parseSMD(in.SMD)
	if err != nil {
		return smdExtractOut{}, unreadable(err)
	}
	return smdExtractOut{DateExpire: m.Expire, Labels: list(m.Labels), MarkName: m.MarkName, UID: m.UID}, nil
}

func unreadable(err error) error {
	return fault.New(fault.SMD, fault.CauseBadParameter, "smd cannot be read: %s", err)
}
