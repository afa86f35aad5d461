//! What a run was and what it gave: cells, claims, records, tables.
