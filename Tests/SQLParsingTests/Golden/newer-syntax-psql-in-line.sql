SELECT JSON_OBJECT('a': 1);
INSERT INTO a VALUES ('it's a \d in a broken quote');
