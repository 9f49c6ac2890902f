CREATE TABLE a (x int);
	SELECT 'éé', 'unterminated;
