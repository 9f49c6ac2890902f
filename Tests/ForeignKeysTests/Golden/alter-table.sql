-- One statement, several keys among other subcommands.
ALTER TABLE public.orders
    ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES public.customers (id) ON DELETE CASCADE,
    ADD COLUMN note text DEFAULT 'a, b) -- not a comment',
    ADD FOREIGN KEY (region, shop) REFERENCES shops (region, number) MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL (shop), -- why
    ALTER COLUMN total SET NOT NULL,
    ADD CONSTRAINT "Late" FOREIGN KEY ("parentId") REFERENCES public.orders DEFERRABLE INITIALLY DEFERRED NOT VALID;
