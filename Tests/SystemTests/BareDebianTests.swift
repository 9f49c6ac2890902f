import Glibc
import LiveSupport
import Testing

/// The package on the smallest Debian that boots: what it needs comes by its dependencies alone.
@Suite(
    .enabled(
        if: Machine.packageUnderTest != nil && Machine.bareRoot != nil && geteuid() == 0,
        "needs root, MIGRATED_PACKAGE, and MIGRATED_BARE_ROOT naming what deploy/bare-debian has made"))
struct `The package on a bare Debian` {
    private let database: Database
    private var machine = Machine()

    init() throws {
        var options = Cluster.Options()
        options.isOpenToOthers = true
        let cluster = try Cluster(options)
        database = try cluster.createDatabase()
        machine.root = Machine.bareRoot
        machine.package = Machine.packageUnderTest
        machine.binds = [cluster.directory + ":/srv/postgresql"]
        // Inside there is no network: apt fetches the dependencies before the boot.
        machine.setup = [
            """
            inside() { systemd-nspawn --quiet --register=no --keep-unit --settings=no --directory="$ROOT" --pipe "$@"; }
            inside dpkg-query -W -f '${Package}\\n' >"$ROOT/srv/before"
            inside env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /srv/migrated.deb
            mkdir -p "$ROOT/srv/migrations"
            echo 'CREATE TABLE a (id integer);' >"$ROOT/srv/migrations/1_a.sql"
            """
        ]
    }

    @Test func `needs three libraries, brings everything, works, and leaves nothing`() throws {
        let outcome = try machine.run(
            """
            cd /
            dpkg-query -W -f '${Package}\\n' >/srv/after
            echo "depends: $(dpkg-query -W -f '${Depends}' migrated | tr ',' '\\n' | sed 's/^ *//; s/[ (].*//' | awk NF | sort | xargs)"
            comm -13 /srv/before /srv/after | grep -xE 'migrated|libpq5|systemd.*' | xargs
            command -v perl python3 swift jq psql | xargs
            version=$(dpkg-query -W -f '${Version}' migrated)
            for program in migrated auditctl migrated-auditctl; do "$program" --version | sed "s/ $version$/ of the package's version/"; done
            ldd /usr/bin/migrated /usr/bin/migrated-auditctl | grep 'not found'
            getent passwd migrated | cut -d: -f6,7
            systemctl is-enabled migrated
            for file in man8/migrated.8 man5/migrated.toml.5 man1/auditctl.1 man7/migrated.events.7; do
                zcat "/usr/share/man/$file.gz" | grep -c '^\\.Sh NAME'
            done | xargs
            for program in migrated auditctl; do
                ls "/usr/share/bash-completion/completions/$program" "/usr/share/zsh/vendor-completions/_$program" \\
                    "/usr/share/fish/vendor_completions.d/$program.fish" | wc -l
            done | xargs
            bash -c '. /usr/share/bash-completion/completions/migrated-auditctl && complete -p auditctl migrated-auditctl' | sed 's/.* //' | xargs
            systemctl list-unit-files --no-legend 'migrated*' | wc -l
            [[ $(journalctl --list-catalog | grep -c 'migrated:') == $(grep -c '^-- [0-9a-f]' /usr/lib/systemd/catalog/migrated.catalog) ]] && echo 'catalog'
            printf 'database = "host=/srv/postgresql user=postgres dbname=\(database.name)"\\ndirectory = "/srv/migrations"\\nstate-directory = "/var/lib/migrated"\\n' \\
                >/etc/migrated/migrated.toml
            systemctl start migrated
            for ((looks = 0; looks < 300; looks++)); do systemctl show -p StatusText migrated | grep -q 'applied 1' && break; sleep 0.1; done
            systemctl show -p StatusText migrated
            auditctl verify | cut -d : -f 1 | head -n 1
            apt-get remove --yes migrated >/dev/null 2>&1 || echo 'the removal failed'
            systemctl is-active migrated; ls /etc/migrated/migrated.toml
            apt-get purge --yes migrated >/dev/null 2>&1 || echo 'the purge failed'
            find / -xdev -name '*migrated*' ! -path '/proc/*' ! -path '/srv/*' ! -path '/var/log/*' ! -path '/run/*' ! -path '/sys/*' ! -path '/tmp/*'
            """)
        #expect(
            outcome.output == """
                depends: libc6 libgcc-s1 libpq5 libssl3 libsystemd0 systemd
                libpq5 migrated
                /usr/bin/perl
                migrated of the package's version
                auditctl (migrated) of the package's version
                auditctl (migrated) of the package's version
                /var/lib/migrated:/usr/sbin/nologin
                disabled
                1 1 1 1
                3 3
                auditctl migrated-auditctl
                7
                catalog
                StatusText=applied 1, pending 0, failed 0
                intact
                inactive
                /etc/migrated/migrated.toml

                """, "\(outcome)")
    }
}
