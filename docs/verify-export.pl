#!/usr/bin/perl
# Checks an export of migrated's history (auditctl export, ndjson) without PostgreSQL and without a line of migrated: written from
# export-format.md, with Perl's own modules. The signature of the trailer is not checked: 'auditctl verify --file --public-key' does.
#
#     perl verify-export.pl history.ndjson
#
# Prints the verdict, the seq that it is about and what is wrong, with tabs between them. Exit status: 0 intact, 1 not, 2 cannot tell.
use strict;
use warnings;
use Digest::SHA qw(sha256 sha256_hex);
use Encode ();
use JSON::PP ();
use List::Util qw(min);
use Time::Local qw(timegm_modern);

my @text = qw(version name checksum direction reason object);
my @columns = ('seq', 'event_id', 'recorded_at', 'event', 'attempt_id', @text, qw(row_count duration_us sqlstate message detail initiated_by
    host db_user pid invocation_id prev_hash hash));
my %number = map { $_ => 1 } qw(seq row_count duration_us pid);
my %required = map { $_ => 1 } qw(seq event_id recorded_at event prev_hash hash);

sub end { my ($status, @words) = @_; print join("\t", map { $_ // '' } @words), "\n"; exit $status }
sub cannot_tell { end(2, 'cannot_tell', '', @_) }
@ARGV == 1 or do { print STDERR "usage: verify-export.pl FILE\n"; exit 64 };
open(my $file, '<:raw', $ARGV[0]) or cannot_tell("cannot open '$ARGV[0]': $!");

# A member's value as it stands in the line: our exports have the columns in one order, so that no member can stand twice.
my $string = qr/"(?:[^"\\\x00-\x1f]|\\(?:["\\\/bfnrt]|u[0-9a-fA-F]{4}))*"/;
my $integer = qr/0|-?[1-9][0-9]*/;
my $line_of = join('[ \t]*,[ \t]*', map { qq<"$_"[ \\t]*:[ \\t]*(> . ($number{$_} ? $integer : $string) . ($required{$_} ? ')' : '|null)') } @columns);
my $json = JSON::PP->new->utf8->allow_nonref;
my $uuid = qr/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

# Microseconds since 2000-01-01 00:00 UTC; nothing for what is no moment.
sub moment {
    my ($text) = @_;
    return '9223372036854775807' if $text eq 'infinity';
    return '-9223372036854775808' if $text eq '-infinity';
    my ($year, $month, $day, $hour, $minute, $second, $fraction) =
        $text =~ /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{6})Z$/ or return;
    my $seconds = eval { timegm_modern($second, $minute, $hour, $day, $month - 1, $year) } // return;
    return ($seconds - 946684800) * 1000000 + $fraction;
}

# An event: seq, prev_hash and hash as bytes, and whether the hash holds. Dies with what is wrong.
sub event {
    my ($line) = @_;
    eval { Encode::decode('UTF-8', my $copy = $line, Encode::FB_CROAK); 1 } or die "not UTF-8\n";
    my @values = $line =~ /^\{[ \t]*$line_of[ \t]*\}$/ or die "not an event with its 23 columns\n";
    my (%bytes, $preimage);
    for my $column (@columns) {
        my $value = shift @values;
        if ($value eq 'null') { $bytes{$column} = undef; next }
        if ($number{$column}) {
            $value + 0 eq $value && ($column ne 'pid' || abs($value) < 2**31) or die "$column is out of range\n";
            $bytes{$column} = pack($column eq 'pid' ? 'l>' : 'q>', $value);
            next;
        }
        # What the escapes stand for; half of a surrogate pair stands for nothing.
        $value =~ s/\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}//gr =~ /\\u(?:[dD][89a-fA-F]|0000)/ and die "$column has an escape of no character\n";
        $value = Encode::encode('UTF-8', $json->decode($value));
        if ($column =~ /_hash$|^hash$/) { $value =~ /^[0-9a-f]{64}$/ or die "$column is no hash\n"; $value = pack('H*', $value) }
        elsif ($column =~ /^(?:event|attempt)_id$/) { $value =~ $uuid or die "$column is no identifier\n"; $value = pack('H*', $value =~ tr/-//dr) }
        elsif ($column eq 'recorded_at') { $value = pack('q>', moment($value) // die "recorded_at is no moment\n") }
        $bytes{$column} = $value;
    }
    $preimage = "\x01migrated-audit-v1" . $bytes{seq} . $bytes{prev_hash};
    $preimage .= defined $bytes{$_} ? pack('l>', length $bytes{$_}) . $bytes{$_} : pack('l>', -1) for @columns[1 .. 20];
    return [unpack('q>', $bytes{seq}), $bytes{prev_hash}, $bytes{hash}, sha256($preimage) eq $bytes{hash}];
}

# The last line. Dies where it has other members than a trailer.
sub trailer {
    my $trailer = $json->decode($_[0]);
    my ($genesis, $head) = @$trailer{qw(genesis head)};
    join(' ', sort keys %$trailer) eq 'complete count database database_oid domain exported_at exported_by filter first_seq genesis head host'
        . ' last_seq order schema schema_version signature system_identifier trailer' && $trailer->{domain} eq 'migrated-audit-v1'
        && join(' ', sort keys %$head) eq 'hash seq' && defined moment($trailer->{exported_at}) && !$trailer->{complete} == defined $trailer->{filter}
        && "$genesis $head->{hash}" =~ /^[0-9a-f]{64} [0-9a-f]{64}$/ or die "not a trailer\n";
    return $trailer;
}

my (@events, @wrong, $trailer, $cut, $behind);
while (defined(my $line = <$file>)) {
    if ($trailer) { $behind = 1; last }
    $cut = 1, last unless chomp $line;
    if ($line =~ /"trailer":"migrated-export-1"\}$/) { $trailer = eval { trailer($line) }; next if $trailer }
    my $event = eval { event($line) };
    if ($event) { push @events, $event } else { push @wrong, [@events ? $events[-1][0] + 1 : undef, 'edited', "line $.: $@" =~ s/\n//r] }
}
cannot_tell('the file holds no event') unless @events || $trailer;
my $count = @events;
my (%there, $newest, $unordered);
for my $place (0 .. $#events) {
    my ($seq, $prev, $hash, $holds) = @{ $events[$place] };
    if ($seq < 1) { push @wrong, [$seq, 'inserted', 'stands before the first place of the chain']; next }
    push @wrong, [$seq, 'edited', 'its content is not what its hash was made of'] unless $holds;
    push @wrong, [$seq, 'inserted', 'stands in the file again'] if $there{$seq}++;
    $newest = $events[$place] if !$newest || $seq > $newest->[0];
    next if $place == 0;
    my ($seq_before, $prev_before, $hash_before, $held) = @{ $events[$place - 1] };
    my $step = $trailer && $trailer->{order} eq 'newest_first' ? $seq_before <=> $seq : $seq <=> $seq_before;
    $unordered //= min($seq, $seq_before) if $step < 0;
    my $linked = $seq == $seq_before + 1 ? $prev eq $hash_before : $seq_before == $seq + 1 ? $prev_before eq $hash : 1;
    push @wrong, [min($seq, $seq_before), 'edited', 'the event behind it follows another hash'] if !$linked && $holds && $held;
}
if (!$trailer) { push @wrong, [$newest->[0] + 1, 'truncated', $cut ? 'the file ends in the middle of a line' : 'the file ends without its trailer'] }
else {
    my ($head, $last) = ($trailer->{head}{seq}, $newest ? $newest->[0] : 0);
    push @wrong, [$unordered, 'edited', 'the lines are not in their order'] if defined $unordered;
    push @wrong, [undef, 'inserted', 'something stands behind the trailer'] if $behind;
    push @wrong, [undef, $trailer->{count} > $count ? 'removed' : 'inserted', "$count events, and the trailer counts $trailer->{count}"] if $trailer->{count} != $count;
    if ($trailer->{complete}) {
        my $gap = 1;
        $gap++ while $there{$gap};
        push @wrong, [$gap, (grep { $_ > $gap } keys %there) ? 'removed' : 'truncated', 'is missing'] if $gap <= $head && ($gap <= $last || $last < $head);
    }
    for my $end (['first_seq', $events[0]], ['last_seq', $events[-1]]) {
        my ($stated, $found) = ($trailer->{ $end->[0] } // 'none', $count ? $end->[1][0] : 'none');
        push @wrong, [$trailer->{ $end->[0] }, $trailer->{complete} ? 'edited' : 'removed', "$end->[0] is $found, and the trailer has $stated"] if $stated ne $found;
    }
    push @wrong, [$head + 1, 'inserted', 'stands behind the head'] if $last > $head;
    push @wrong, [$head, 'edited', q(does not have the head's hash)] if $last == $head && $head > 0 && unpack('H*', $newest->[2]) ne $trailer->{head}{hash};
    push @wrong, [1, 'edited', 'does not begin at the genesis'] if grep { $_->[0] == 1 && unpack('H*', $_->[1]) ne $trailer->{genesis} } @events;
}
my @first = sort { ($a->[0] // 9e18) <=> ($b->[0] // 9e18) } @wrong;
end(1, $first[0][1], $first[0][0], $first[0][2]) if @first;
cannot_tell("a part of a history: $count events hold, which does not show whether others were left out") unless $trailer->{complete};
end(0, 'intact', $trailer->{head}{seq}, $trailer->{head}{hash});
