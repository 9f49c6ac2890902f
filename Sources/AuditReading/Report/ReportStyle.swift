/// The style of the HTML report: for a screen, light or dark, and for paper.
enum ReportStyle {
    static let css = """
        :root { color-scheme: light dark; --ink: #1b1f24; --faint: #5b6470; --paper: #ffffff; --panel: #f5f6f8; --line: #d9dde3;
          --good: #1a7f4b; --bad: #c0341d; --unclear: #9a6700; --c0: #2b7bba; --c1: #d1495b; --c2: #e0a526; --c3: #7a5ea8; --c4: #3a3f47; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --faint: #9aa4b1; --paper: #14171b; --panel: #1e2329; --line: #343b44;
          --good: #4cc38a; --bad: #ff7b66; --unclear: #e3b341; --c0: #5aa9e6; --c1: #f2727f; --c2: #f0bf4c; --c3: #a98fd8; --c4: #c2c9d2; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
        main { max-width: 64rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
        h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .35rem; letter-spacing: -.01em; }
        h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); break-after: avoid; }
        p { margin: .5rem 0; max-width: 48rem; }
        .sub, .note, footer { color: var(--faint); }
        .sub { margin: 0; }
        .verdict { margin: 1.5rem 0 1rem; padding: .9rem 1.1rem; border: 1px solid var(--line); border-left: .4rem solid var(--unclear);
          border-radius: .4rem; background: var(--panel); break-inside: avoid; }
        .verdict.good { border-left-color: var(--good); } .verdict.bad { border-left-color: var(--bad); }
        .verdict p { margin: .15rem 0 0; max-width: none; } .verdict ul { margin: .4rem 0 0; padding-left: 1.2rem; }
        .verdict strong { font-size: 1.1rem; }
        .good strong, td.good { color: var(--good); } .bad strong, td.bad { color: var(--bad); font-weight: 600; } .unclear strong, td.unclear { color: var(--unclear); }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(6.6rem, 1fr)); gap: .6rem; margin: 1.2rem 0; padding: 0; list-style: none; break-inside: avoid; }
        .figures li { padding: .6rem .8rem; border: 1px solid var(--line); border-radius: .4rem; }
        .figures b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
        .figures span { color: var(--faint); font-size: .82rem; } .figures .alarm b { color: var(--bad); }
        .sign { display: grid; grid-template-columns: 2fr 1fr 2fr; gap: 1.5rem; margin: 2.2rem 0 .6rem; break-inside: avoid; }
        .sign div { border-top: 1px solid var(--ink); padding-top: .25rem; font-size: .82rem; color: var(--faint); margin-top: 2.4rem; }
        table { width: 100%; border-collapse: collapse; font-size: .87rem; line-height: 1.4; }
        thead { display: table-header-group; } tr { break-inside: avoid; }
        th { text-align: left; font-weight: 600; color: var(--faint); white-space: nowrap; border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; vertical-align: bottom; }
        td { padding: .32rem .8rem .32rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
        td.l { overflow-wrap: anywhere; min-width: 7rem; }
        td:first-child { white-space: nowrap; overflow-wrap: normal; font-variant-numeric: tabular-nums; }
        th:last-child, td:last-child { padding-right: 0; }
        .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal; }
        code, .code { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; font-size: .92em; overflow-wrap: anywhere; }
        td.code { white-space: nowrap; overflow-wrap: normal; }
        svg { display: block; width: 100%; height: auto; font: 11px system-ui, "DejaVu Sans", sans-serif; }
        svg .c0 { fill: var(--c0); } svg .c1, svg .open { fill: var(--c1); } svg .c2 { fill: var(--c2); } svg .c3 { fill: var(--c3); } svg .c4 { fill: var(--c4); }
        svg .mended { fill: var(--good); } svg .tick { fill: var(--faint); } svg .label, svg .name { fill: var(--ink); } svg .inside { fill: var(--paper); font-size: 9px; }
        svg .grid { stroke: var(--line); } svg .axis { stroke: var(--faint); }
        figure { margin: 1rem 0 0; break-inside: avoid; }
        .legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; margin: .3rem 0 0; padding: 0; font-size: .82rem; color: var(--faint); }
        .swatch { display: inline-block; width: .8em; height: .8em; border-radius: .15em; margin-right: .4em; }
        .s0 { background: var(--c0); } .s1 { background: var(--c1); } .s2 { background: var(--c2); } .s3 { background: var(--c3); } .s4 { background: var(--c4); }
        footer { margin-top: 3rem; padding-top: .8rem; border-top: 1px solid var(--line); font-size: .82rem; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .6rem 0; } dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
        @page { size: A4; margin: 17mm 15mm 19mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #5b6470; } }
        @media print { :root { color-scheme: light; --ink: #000; --faint: #4a525c; --paper: #fff; --panel: #fff; --line: #c3c9d1; --good: #12633a; --bad: #a02412;
            --unclear: #7a5200; --c0: #2b7bba; --c1: #d1495b; --c2: #e0a526; --c3: #7a5ea8; --c4: #3a3f47; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          body { font-size: 9.5pt; } main { max-width: none; padding: 0; } .figures { grid-template-columns: repeat(8, 1fr); gap: 2mm; } .figures li { padding: 1.5mm 2mm; }
          .figures b { font-size: 13pt; } table { font-size: 7.8pt; } th, td { padding-right: 2mm; } td.l { min-width: 30mm; } h1 { font-size: 17pt; } h2 { font-size: 12pt; margin-top: 7mm; } }
        """
}
