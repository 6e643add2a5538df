-- What cost more at each write than it saved at any reading. The words of new
-- devices and certificates are written for many at once, not row by row by a
-- trigger; see textIndex. The rows of a batch are read in their order, page by
-- page, whatever their state.
DROP TRIGGER device_insert;
DROP TRIGGER certificate_insert;
DROP INDEX batch_row_by_state;
