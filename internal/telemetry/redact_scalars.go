package telemetry

import "time"

// The methods of zapcore.ObjectEncoder for plain values. They all do the same;
// they are spelled out because the interface has one for each type.

func (r *redactor) AddBinary(key string, v []byte) {
	if !r.hide(key) {
		r.ObjectEncoder.AddBinary(key, v)
	}
}

func (r *redactor) AddByteString(key string, v []byte) {
	if !r.hide(key) {
		r.ObjectEncoder.AddByteString(key, v)
	}
}

func (r *redactor) AddBool(key string, v bool) {
	if !r.hide(key) {
		r.ObjectEncoder.AddBool(key, v)
	}
}

func (r *redactor) AddComplex128(key string, v complex128) {
	if !r.hide(key) {
		r.ObjectEncoder.AddComplex128(key, v)
	}
}

func (r *redactor) AddComplex64(key string, v complex64) {
	if !r.hide(key) {
		r.ObjectEncoder.AddComplex64(key, v)
	}
}

func (r *redactor) AddDuration(key string, v time.Duration) {
	if !r.hide(key) {
		r.ObjectEncoder.AddDuration(key, v)
	}
}

func (r *redactor) AddFloat64(key string, v float64) {
	if !r.hide(key) {
		r.ObjectEncoder.AddFloat64(key, v)
	}
}

func (r *redactor) AddFloat32(key string, v float32) {
	if !r.hide(key) {
		r.ObjectEncoder.AddFloat32(key, v)
	}
}

func (r *redactor) AddInt(key string, v int) {
	if !r.hide(key) {
		r.ObjectEncoder.AddInt(key, v)
	}
}

func (r *redactor) AddInt64(key string, v int64) {
	if !r.hide(key) {
		r.ObjectEncoder.AddInt64(key, v)
	}
}

func (r *redactor) AddInt32(key string, v int32) {
	if !r.hide(key) {
		r.ObjectEncoder.AddInt32(key, v)
	}
}

func (r *redactor) AddInt16(key string, v int16) {
	if !r.hide(key) {
		r.ObjectEncoder.AddInt16(key, v)
	}
}

func (r *redactor) AddInt8(key string, v int8) {
	if !r.hide(key) {
		r.ObjectEncoder.AddInt8(key, v)
	}
}

func (r *redactor) AddString(key string, v string) {
	if !r.hide(key) {
		r.ObjectEncoder.AddString(key, v)
	}
}

func (r *redactor) AddTime(key string, v time.Time) {
	if !r.hide(key) {
		r.ObjectEncoder.AddTime(key, v)
	}
}

func (r *redactor) AddUint(key string, v uint) {
	if !r.hide(key) {
		r.ObjectEncoder.AddUint(key, v)
	}
}

func (r *redactor) AddUint64(key string, v uint64) {
	if !r.hide(key) {
		r.ObjectEncoder.AddUint64(key, v)
	}
}

func (r *redactor) AddUint32(key string, v uint32) {
	if !r.hide(key) {
		r.ObjectEncoder.AddUint32(key, v)
	}
}

func (r *redactor) AddUint16(key string, v uint16) {
	if !r.hide(key) {
		r.ObjectEncoder.AddUint16(key, v)
	}
}

func (r *redactor) AddUint8(key string, v uint8) {
	if !r.hide(key) {
		r.ObjectEncoder.AddUint8(key, v)
	}
}

func (r *redactor) AddUintptr(key string, v uintptr) {
	if !r.hide(key) {
		r.ObjectEncoder.AddUintptr(key, v)
	}
}
