internal import Glibc

/// The time zone of this process: `TZ`, else /etc/localtime; see tzset(3).
public enum LocalTime {
    /// How many seconds local time is ahead of universal time at that second since the Unix epoch; 0 where the system cannot tell.
    public static func offset(at unixSeconds: Int64) -> Int64 {
        var moment = time_t(unixSeconds)
        var fields = unsafe tm()
        guard unsafe localtime_r(&moment, &fields) != nil else { return 0 }
        return unsafe Int64(fields.tm_gmtoff)
    }
}
