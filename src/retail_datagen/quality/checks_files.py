"""Checks of the files as a whole: none missing, none strange, all as the job left them."""

from __future__ import annotations

from retail_datagen.quality.check import Check, Source

CHECKS = (
    Check(
        "files.readable",
        "every file has the columns and types of its table",
        ("files", "unreadable"),
        "SELECT * FROM unreadable",
    ),
    Check(
        "files.parse",
        "every line of a CSV file parses",
        ("files", "rejects"),
        "SELECT * FROM rejects",
    ),
    Check(
        "files.known",
        "every file is the one file of a day of a table",
        ("files", "strangers"),
        "SELECT * FROM strangers",
    ),
    Check(
        "files.complete",
        "every table has every day from the first to the last",
        ("files",),
        """
        WITH span AS (SELECT min(dt) AS first, max(dt) AS last FROM files),
        wanted AS (
            SELECT table_name, CAST(day AS DATE) AS dt
            FROM (SELECT unnest(generate_series(first, last, INTERVAL 1 DAY)) AS day FROM span),
                (SELECT DISTINCT table_name FROM files)
        )
        SELECT table_name AS "table", dt AS "missing day"
        FROM wanted ANTI JOIN files USING (table_name, dt)
        """,
    ),
    Check(
        "files.journal",
        "every file has the rows and the sha256 that the job recorded, and none is missing",
        ("files", "journal"),
        """
        SELECT coalesce(j.file, f.file) AS file,
            CASE WHEN f.file IS NULL THEN 'is missing'
                WHEN j.file IS NULL THEN 'is not in the journal'
                WHEN f.bytes <> j.bytes THEN 'has another size'
                WHEN f.sha256 <> j.sha256 THEN 'has another sha256'
                ELSE 'has another number of rows' END AS problem,
            j.rows AS "rows in the journal", f.rows, j.bytes AS "bytes in the journal", f.bytes
        FROM journal j FULL JOIN files f ON j.file = f.file
        WHERE f.file IS NULL OR j.file IS NULL OR f.bytes <> j.bytes OR f.sha256 <> j.sha256
            OR f.rows <> j.rows
        """,
        sources=(Source.JOURNAL,),
    ),
    Check(
        "files.master",
        "master data is what the history was made from",
        ("origin", "master_files"),
        """
        SELECT 'master data' AS files, found AS "sha256", master AS "sha256 in job.json"
        FROM origin WHERE found <> master
        """,
        sources=(Source.HEADER, Source.MASTER),
    ),
)
