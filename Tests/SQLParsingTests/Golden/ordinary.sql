-- CreateTable
CREATE TABLE "User" (
    "id" TEXT NOT NULL, -- the key; not a statement end
    "email" TEXT NOT NULL,
    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);

/* an /* nested */ comment; */
-- CreateIndex
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
;
-- AddForeignKey
ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
INSERT INTO "User" VALUES ('1', 'it''s; fine'), (E'2\'; x', $$a;b$$) /* tail */ ;
SELECT 1 -- no semicolon
-- at the end