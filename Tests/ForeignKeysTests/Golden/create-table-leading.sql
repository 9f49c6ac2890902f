CREATE TABLE t (
    FOREIGN KEY (a) REFERENCES u /* gone too */, -- and this
    CONSTRAINT k FOREIGN KEY (b) REFERENCES u,
    a int,
    b int,
    CONSTRAINT l FOREIGN KEY (b) REFERENCES u
);
