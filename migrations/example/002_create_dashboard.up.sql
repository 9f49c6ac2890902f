CREATE TYPE widget_kind AS ENUM ('chart', 'table', 'counter', 'note');

CREATE TABLE dashboards (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug text NOT NULL CONSTRAINT dashboards_slug_key UNIQUE,
    title text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE dashboard_widgets (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dashboard_id bigint NOT NULL
        CONSTRAINT dashboard_widgets_dashboard_id_fkey REFERENCES dashboards ON DELETE CASCADE,
    user_id text NOT NULL,
    kind widget_kind NOT NULL DEFAULT 'chart',
    settings jsonb NOT NULL DEFAULT '{}',
    position integer NOT NULL DEFAULT 0 CONSTRAINT dashboard_widgets_position_check CHECK (position >= 0)
);

CREATE INDEX dashboard_widgets_dashboard_id_idx ON dashboard_widgets (dashboard_id, position);

INSERT INTO dashboards (slug, title) VALUES ('home', 'Home');
INSERT INTO dashboard_widgets (dashboard_id, user_id, kind, settings)
    SELECT id, 'usr_operator', 'note', '{"text": "Welcome; this text holds a semicolon"}'
    FROM dashboards WHERE slug = 'home';
