/* licence /* nested */ */
-- prose
-- migrated: on-failure=continue statement-timeout="1h 30min" requires=1,024a
-- migrated: repeatable transaction=none
SELECT 1;
