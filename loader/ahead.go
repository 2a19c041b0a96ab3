package loader

const (
	aheadItems   = 512       // things that are handed over at once
	aheadBytes   = 256 << 10 // their texts, at least where more than one is
	aheadWaiting = 4         // portions that wait at most
)

// ahead has produce run beside consume, which is given all that produce yields,
// in its order. When consume fails, produce is told to end by an error of yield.
// Neither runs any longer when ahead returns.
func ahead[T any](produce func(yield func(v T, bytes int) error) error, consume func(T) error) error {
	portions := make(chan []T, aheadWaiting)
	stop := make(chan struct{})
	var failed error // once portions is closed
	go func() {
		defer close(portions)
		portion, size := make([]T, 0, aheadItems), 0
		pass := func() error {
			select {
			case portions <- portion:
				portion, size = make([]T, 0, aheadItems), 0
				return nil
			case <-stop:
				return errStopped
			}
		}
		failed = produce(func(v T, bytes int) error {
			portion, size = append(portion, v), size+bytes
			if len(portion) < aheadItems && size < aheadBytes {
				return nil
			}
			return pass()
		})
		if len(portion) > 0 {
			_ = pass()
		}
	}()
	for portion := range portions {
		for _, v := range portion {
			if err := consume(v); err != nil {
				close(stop)
				for range portions { //nolint:revive // until it has ended
				}
				return err
			}
		}
	}
	return failed
}
