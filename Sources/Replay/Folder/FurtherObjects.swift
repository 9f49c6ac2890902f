/// What a database has beside what the history's readings hold: of the rarer classes, and properties that seldom differ from the server's defaults.
///
/// A folder of files can make all of it, and a baseline is proved only where it is there, too. Comments, security labels, large objects and what
/// belongs to the whole server are not read. A column that not every major version has is looked for in the row's JSON.
public enum FurtherObjects {
    /// The query, with the columns of the view `catalog_object`; for a session whose search_path is pg_catalog. `history` is the history's schema,
    /// as a literal.
    public static func query(history: String) -> String {
        """
        WITH schemas AS (
            SELECT n.oid, n.nspname FROM pg_namespace AS n
             WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> \(history)
        ), extended AS (
            SELECT d.classid, d.objid FROM pg_depend AS d WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
        ), further(catalog, oid, class, object, definition) AS (
            SELECT 'pg_default_acl'::regclass, d.oid, 'default privileges',
                   concat_ws(' ', CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
                                                       WHEN 'n' THEN 'schemas' ELSE d.defaclobjtype::text END,
                             'of', quote_ident(pg_get_userbyid(d.defaclrole)), 'in schema ' || quote_ident(n.nspname)),
                   'rights ' || array_to_string(d.defaclacl, ', ')
              FROM pg_default_acl AS d LEFT JOIN schemas AS n ON n.oid = d.defaclnamespace
             WHERE d.defaclnamespace = 0 OR n.oid IS NOT NULL
            UNION ALL
            SELECT 'pg_statistic_ext'::regclass, s.oid, 'statistics', format('%I.%I', n.nspname, s.stxname),
                   concat_ws(E'\\n', pg_get_statisticsobjdef(s.oid), 'target ' || nullif(to_jsonb(s) ->> 'stxstattarget', '-1'))
              FROM pg_statistic_ext AS s JOIN schemas AS n ON n.oid = s.stxnamespace
            UNION ALL
            SELECT 'pg_collation'::regclass, c.oid, 'collation', format('%I.%I', n.nspname, c.collname),
                   concat_ws(' ', c.collprovider, CASE WHEN c.collisdeterministic THEN 'deterministic' END, c.collcollate, c.collctype,
                             to_jsonb(c) ->> 'colliculocale', to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'collicurules')
              FROM pg_collation AS c JOIN schemas AS n ON n.oid = c.collnamespace
            UNION ALL
            SELECT 'pg_operator'::regclass, o.oid, 'operator', o.oid::regoperator::text,
                   concat_ws(' ', o.oprcode, 'commutator ' || nullif(o.oprcom, 0)::regoperator::text, 'negator ' || nullif(o.oprnegate, 0)::regoperator::text,
                             'restrict ' || nullif(o.oprrest, 0)::regproc::text, 'join ' || nullif(o.oprjoin, 0)::regproc::text,
                             CASE WHEN o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END)
              FROM pg_operator AS o JOIN schemas AS n ON n.oid = o.oprnamespace
             WHERE o.oprcode <> 0
            UNION ALL
            SELECT 'pg_opfamily'::regclass, f.oid, 'operator family', format('%I.%I using %I', n.nspname, f.opfname, m.amname),
                   concat_ws(E'\\n',
                       (SELECT string_agg(format('operator %s %s %s', a.amopstrategy, a.amopopr::regoperator, a.amoppurpose), E'\\n'
                                          ORDER BY a.amopstrategy, a.amopopr::regoperator::text) FROM pg_amop AS a WHERE a.amopfamily = f.oid),
                       (SELECT string_agg(format('function %s (%s, %s) %s', p.amprocnum, format_type(p.amproclefttype, NULL),
                                                 format_type(p.amprocrighttype, NULL), p.amproc::regprocedure), E'\\n'
                                          ORDER BY p.amprocnum, p.amproc::regprocedure::text) FROM pg_amproc AS p WHERE p.amprocfamily = f.oid))
              FROM pg_opfamily AS f JOIN schemas AS n ON n.oid = f.opfnamespace JOIN pg_am AS m ON m.oid = f.opfmethod
            UNION ALL
            SELECT 'pg_opclass'::regclass, c.oid, 'operator class', format('%I.%I using %I', n.nspname, c.opcname, m.amname),
                   concat_ws(' ', format_type(c.opcintype, NULL), CASE WHEN c.opcdefault THEN 'default' END, f.opfname,
                             'storage ' || format_type(nullif(c.opckeytype, 0), NULL))
              FROM pg_opclass AS c JOIN schemas AS n ON n.oid = c.opcnamespace JOIN pg_am AS m ON m.oid = c.opcmethod
              JOIN pg_opfamily AS f ON f.oid = c.opcfamily
            UNION ALL
            SELECT 'pg_cast'::regclass, c.oid, 'cast', format('%s as %s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)),
                   concat_ws(' ', c.castcontext, c.castmethod, nullif(c.castfunc, 0)::regprocedure)
              FROM pg_cast AS c WHERE c.oid >= 16384
            UNION ALL
            SELECT 'pg_conversion'::regclass, c.oid, 'conversion', format('%I.%I', n.nspname, c.conname),
                   concat_ws(' ', pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding), c.conproc, CASE WHEN c.condefault THEN 'default' END)
              FROM pg_conversion AS c JOIN schemas AS n ON n.oid = c.connamespace
            UNION ALL
            SELECT 'pg_ts_config'::regclass, c.oid, 'text search configuration', format('%I.%I', n.nspname, c.cfgname),
                   concat_ws(E'\\n', format('parser %I', p.prsname),
                       (SELECT string_agg(format('%s %s %s', w.maptokentype, w.mapseqno, w.mapdict::regdictionary), E'\\n' ORDER BY w.maptokentype, w.mapseqno)
                          FROM pg_ts_config_map AS w WHERE w.mapcfg = c.oid))
              FROM pg_ts_config AS c JOIN schemas AS n ON n.oid = c.cfgnamespace JOIN pg_ts_parser AS p ON p.oid = c.cfgparser
            UNION ALL
            SELECT 'pg_ts_dict'::regclass, d.oid, 'text search dictionary', format('%I.%I', n.nspname, d.dictname), concat_ws(' ', t.tmplname, d.dictinitoption)
              FROM pg_ts_dict AS d JOIN schemas AS n ON n.oid = d.dictnamespace JOIN pg_ts_template AS t ON t.oid = d.dicttemplate
            UNION ALL
            SELECT 'pg_ts_parser'::regclass, p.oid, 'text search parser', format('%I.%I', n.nspname, p.prsname),
                   concat_ws(' ', p.prsstart, p.prstoken, p.prsend, p.prsheadline, p.prslextype)
              FROM pg_ts_parser AS p JOIN schemas AS n ON n.oid = p.prsnamespace
            UNION ALL
            SELECT 'pg_ts_template'::regclass, t.oid, 'text search template', format('%I.%I', n.nspname, t.tmplname), concat_ws(' ', t.tmplinit, t.tmpllexize)
              FROM pg_ts_template AS t JOIN schemas AS n ON n.oid = t.tmplnamespace
            UNION ALL
            SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, 'foreign data wrapper', quote_ident(w.fdwname),
                   concat_ws(E'\\n', nullif(w.fdwhandler, 0)::regproc::text, nullif(w.fdwvalidator, 0)::regproc::text,
                             'owner ' || pg_get_userbyid(w.fdwowner), 'rights ' || array_to_string(w.fdwacl, ', '))
              FROM pg_foreign_data_wrapper AS w
            UNION ALL
            -- Where a server is differs from one database to the next, and so do the options.
            SELECT 'pg_foreign_server'::regclass, s.oid, 'server', quote_ident(s.srvname),
                   concat_ws(E'\\n', format('wrapper %I', w.fdwname), 'type ' || s.srvtype,
                             'owner ' || pg_get_userbyid(s.srvowner), 'rights ' || array_to_string(s.srvacl, ', '))
              FROM pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
            UNION ALL
            SELECT 'pg_publication'::regclass, p.oid, 'publication', quote_ident(p.pubname),
                   concat_ws(E'\\n', CASE WHEN p.puballtables THEN 'all tables' END,
                       (SELECT string_agg(to_jsonb(p) ->> k.name, ' ' ORDER BY k.place)
                          FROM unnest(ARRAY['pubinsert', 'pubupdate', 'pubdelete', 'pubtruncate', 'pubviaroot', 'pubgencols']) WITH ORDINALITY AS k(name, place)),
                       (SELECT string_agg(concat_ws(' ', format('table %I.%I', v.schemaname, v.tablename), to_jsonb(v) ->> 'attnames', to_jsonb(v) ->> 'rowfilter'),
                                          E'\\n' ORDER BY v.schemaname, v.tablename)
                          FROM pg_publication_tables AS v WHERE v.pubname = p.pubname AND NOT p.puballtables),
                       -- pg_publication_namespace, which there is since PostgreSQL 15.
                       (SELECT string_agg(format('schema %s', o.refobjid::regnamespace), E'\\n' ORDER BY o.refobjid::regnamespace::text)
                          FROM pg_depend AS d JOIN pg_depend AS o ON o.classid = d.classid AND o.objid = d.objid AND o.refclassid = 'pg_namespace'::regclass
                         WHERE d.refclassid = 'pg_publication'::regclass AND d.refobjid = p.oid))
              FROM pg_publication AS p
            UNION ALL
            SELECT 'pg_language'::regclass, l.oid, 'language', quote_ident(l.lanname),
                   concat_ws(E'\\n', concat_ws(' ', CASE WHEN l.lanpltrusted THEN 'trusted' END, l.lanplcallfoid::regproc),
                             'owner ' || pg_get_userbyid(l.lanowner), 'rights ' || array_to_string(l.lanacl, ', '))
              FROM pg_language AS l WHERE l.oid >= 16384
            UNION ALL
            SELECT 'pg_am'::regclass, m.oid, 'access method', quote_ident(m.amname), concat_ws(' ', m.amtype, m.amhandler) FROM pg_am AS m WHERE m.oid >= 16384
            UNION ALL
            SELECT 'pg_transform'::regclass, t.oid, 'transform', format('%s for %I', format_type(t.trftype, NULL), l.lanname),
                   concat_ws(' ', t.trffromsql, t.trftosql)
              FROM pg_transform AS t JOIN pg_language AS l ON l.oid = t.trflang
            UNION ALL
            SELECT 'pg_class'::regclass, c.oid, 'properties', format('%I.%I', n.nspname, c.relname), concat_ws(E'\\n',
                       'access method ' || (SELECT m.amname FROM pg_am AS m WHERE m.oid = c.relam AND m.amname <> 'heap' AND c.relkind IN ('r', 'm', 'p')),
                       'tablespace ' || (SELECT t.spcname FROM pg_tablespace AS t WHERE t.oid = c.reltablespace),
                       CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'not populated' END,
                       'toast options ' || (SELECT array_to_string(t.reloptions, ', ') FROM pg_class AS t WHERE t.oid = c.reltoastrelid),
                       (SELECT string_agg(s.line, E'\\n' ORDER BY s.line)
                          FROM pg_attribute AS a CROSS JOIN LATERAL (
                                   SELECT format('column %I compression %s', a.attname, nullif(to_jsonb(a) ->> 'attcompression', ''))
                                    WHERE nullif(to_jsonb(a) ->> 'attcompression', '') IS NOT NULL
                                   UNION ALL
                                   SELECT format('column %s statistics %s', CASE WHEN c.relkind IN ('i', 'I') THEN a.attnum::text ELSE quote_ident(a.attname) END,
                                                 a.attstattarget) WHERE a.attstattarget >= 0) AS s(line)
                         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
              FROM pg_class AS c JOIN schemas AS n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'm', 'f', 'i', 'I') AND c.relpersistence <> 't'
            UNION ALL
            SELECT 'pg_type'::regclass, t.oid, 'properties', format('%I.%I', n.nspname, t.typname), concat_ws(E'\\n',
                       'collate ' || (SELECT t.typcollation::regcollation::text FROM pg_type AS b
                                       WHERE t.typtype = 'd' AND b.oid = t.typbasetype AND b.typcollation <> t.typcollation),
                       (SELECT concat_ws(' ', 'range by', o.opcname, nullif(g.rngcollation, 0)::regcollation, nullif(g.rngcanonical, 0)::regproc,
                                         nullif(g.rngsubdiff, 0)::regproc, format_type((to_jsonb(g) ->> 'rngmultitypid')::oid, NULL))
                          FROM pg_range AS g JOIN pg_opclass AS o ON o.oid = g.rngsubopc WHERE g.rngtypid = t.oid),
                       CASE WHEN t.typtype = 'b' AND t.typelem = 0 THEN concat_ws(' ', t.typinput, t.typoutput, nullif(t.typreceive, 0)::regproc, nullif(t.typsend, 0)::regproc,
                           t.typlen, t.typalign, t.typstorage, t.typdefault) END)
              FROM pg_type AS t JOIN schemas AS n ON n.oid = t.typnamespace
             WHERE t.typtype IN ('d', 'r', 'b') AND NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid)
        )
        SELECT f.class, f.object, f.definition FROM further AS f
         WHERE f.oid >= 16384 AND f.definition <> '' AND NOT EXISTS (SELECT FROM extended AS e WHERE e.classid = f.catalog AND e.objid = f.oid)
        """
    }
}
