// Package bench measures loading on real feeds, against the barest way to
// write the same relations into the same database. It needs the files of the
// folder that CHANCERY_DATA names; README.md has the last results.
package bench
