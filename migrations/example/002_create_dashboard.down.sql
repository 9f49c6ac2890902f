DROP TABLE dashboard_widgets;
DROP TABLE dashboards;
DROP TYPE widget_kind;
