//! The published vectors (tests of Presidio, MIT: facts), and ours next to Han characters and in full width.
#![allow(clippy::unwrap_used)]

use super::*;

/// Spans in characters.
fn spans(text: &str, kind: &Kind) -> Vec<(usize, usize)> {
    let character = |byte: usize| text[..byte].chars().count();
    find(text).iter().filter(|span| span.kind == *kind).map(|span| (character(span.start), character(span.end))).collect()
}

#[track_caller]
fn whole(text: &str, kind: &Kind) {
    assert_eq!(spans(text, kind), [(0, text.chars().count())], "{text}");
}

#[test]
fn cards() {
    let kind = &Kind::BankCard;
    assert_eq!(spans("4012888888881881 4012-8888-8888-1881 4012 8888 8888 1881", kind), [(0, 16), (17, 36), (37, 56)]);
    for text in "122000000000003, 371449635398431, 5555555555554444, 5019717010103742, 30569309025904, 6011000400000000, 3528000700000000, \
                 6759649826438453, 4111111111111111, 4917300800000000, 4484070000000000"
        .split(", ")
    {
        whole(text, kind);
    }
    assert_eq!(spans("my credit card: 122000000000003", kind), [(16, 31)]);
    for text in [
        "1748503543012",
        "4012-8888-8888-1882",
        "my card 4012-8888-8888-1882",
        "36168002586008",
        "my card: 36168002586008",
        "4012888888881882",
    ] {
        assert_eq!(find(text), [], "{text}");
    }
}

#[test]
fn mail() {
    let kind = &Kind::Email;
    for text in ["info@presidio.site", "user@xn--80ak6aa92e.com", "a@xn--d1acufc.xn--p1ai"] {
        whole(text, kind);
    }
    assert_eq!(spans("my email address is info@presidio.site", kind), [(20, 38)]);
    assert_eq!(spans("try one of these emails: info@presidio.site or anotherinfo@presidio.site", kind), [(25, 43), (47, 72)]);
    assert_eq!(spans("my email is user@xn--80ak6aa92e.com today", kind), [(12, 35)]);
    assert_eq!(spans("邮箱zhang.san@example.com，或li@example.cn。", kind), [(2, 23), (25, 38)]);
    for text in ["my email is info@presidio.", "this is not an email: hello-world here"] {
        assert_eq!(find(text), [], "{text}");
    }
}

#[test]
fn addresses_of_networks() {
    let kind = &Kind::Ip;
    for text in "2345:0425:2CA1:0000:0000:0567:5673:23b5, 2345:0425:2CA1::0567:5673:23b5, 2400:c401::5054:ff:fe1b:b031, fe80::1, \
                 2001:db8::8a2e:370:7334, 2001:db8:85a3::8a2e:370, 2001:db8::1, fe80::1%eth0, A099::09C0:876A:130B, ::ffff:192.0.2.1, \
                 ::ffff:10.0.0.1, ::ffff:172.16.0.1, ::ffff:127.0.0.1, ::ffff:255.255.255.255, ::ffff:0.0.0.0, ::ffff:0:192.168.1.1, \
                 ::ffff:0000:10.0.0.1, ::192.168.1.1, ::10.0.0.1, 2001:db8::192.168.1.1, 2001:db8:1::192.0.2.1, 64:ff9b::192.0.2.1, \
                 2001:db8:85a3::8a2e:192.168.0.1, 0:0:0:0:0:FFFF:129.144.52.38, 2001:db8:0:0:0:0:192.168.1.1"
        .split(", ")
    {
        whole(text, kind);
        assert!(crate::grade::check::ip(text), "{text}");
    }
    for (text, expected) in [
        ("microsoft.com 192.168.0.1", &[(14, 25)][..]),
        ("microsoft.com 684D:1111:222:3333:4444:5555:6:77", &[(14, 47)]),
        ("my ip: 684D:1111:222:3333:4444:5555:6:77", &[(7, 40)]),
        ("Use local ipv6 ::", &[(15, 17)]),
        ("my ip: ::1", &[(7, 10)]),
        ("connecting from ::1", &[(16, 19)]),
        ("src=:: dst=::1", &[(4, 6), (11, 14)]),
        ("Server IP: 2001:db8::1", &[(11, 22)]),
        ("Connect to [2001:db8::1]:8080", &[(12, 23)]),
        ("my ip is 2400:c401::5054:ff:fe1b:b031", &[(9, 37)]),
        ("Gateway: fe80::1 on interface", &[(9, 16)]),
        ("Visit http://[2001:db8::1]/path", &[(14, 25)]),
        ("SSH to user@2001:db8::1", &[(12, 23)]),
        ("Mapped: ::ffff:192.168.1.1", &[(8, 26)]),
        ("Connect to ::ffff:10.0.0.1 now", &[(11, 26)]),
        ("[::ffff:192.168.1.1]:80", &[(1, 19)]),
        ("NAT64: 64:ff9b::198.51.100.1", &[(7, 28)]),
        ("Tunnel to 2001:db8::10.0.0.1", &[(10, 28)]),
        ("IPv4: 192.168.1.1, IPv6: 2001:db8::1", &[(6, 17), (25, 36)]),
        ("Primary: 10.0.0.1, Secondary: 172.16.0.1", &[(9, 17), (30, 40)]),
        ("IPs: 192.168.1.1, 10.0.0.1, 2001:db8::1", &[(5, 16), (18, 26), (28, 39)]),
        ("(192.168.1.1)", &[(1, 12)]),
        ("'2001:db8::1'", &[(1, 12)]),
        ("IP: 192.168.1.1.", &[(4, 15)]),
        ("192.168.1.1,", &[(0, 11)]),
        ("[2001:db8::1]", &[(1, 12)]),
        ("Server IP: 2400:c401::5054:ff:fe1b:b031.", &[(11, 39)]),
        ("2001:db8::1.", &[(0, 11)]),
        ("192.168.1.1.1", &[(0, 11)]),
        ("192.168.2.1@eth0", &[(0, 11)]),
        ("text::ffff:192.0.2.1", &[(11, 20)]),
        ("foo2001:db8::10.0.0.1", &[(13, 21)]),
        ("地址是192.168.1.1的主机", &[(3, 14)]),
    ] {
        assert_eq!(spans(text, kind), expected, "{text}");
    }
    for text in [
        "my ip: 192.168.0",
        "684D:1111:222:3333:4444:5555:77",
        "::ffff:256.0.0.1",
        "::ffff:192.168.1",
        "2001:db8::256.1.1.1",
        "MAC address aa:bb:cc:dd:ee:ff",
        "Time 12:34:56",
        "Ratio 1:2:3:4",
        "CSS color #ff00aa",
        "Version 1.2.3",
        "Port 80:443",
        "abc:def:ghi",
        "123:abc",
        "file:///path/to/file",
        "std::cout",
        "MyClass::toString",
        ":::",
        "IP192.168.1.1text",
        "text192.168.1.1",
        "fe80::1text",
        "text2001:db8::1",
        "256.256.256.256",
        "192.168.1.256",
        "gggg:hhhh::1234",
        "192.168.1",
        "300.168.1.1",
        "12345:db8::1",
        "2001::db8::1",
        "2001::25de::cade",
        "版本1.2.3.4",
        "Version: 10.1.2.3",
    ] {
        assert_eq!(find(text), [], "{text}");
    }
}

#[test]
fn next_to_han_characters_and_in_full_width() {
    for (text, kind, expected) in [
        ("身份证号11010519491231002X的人", Kind::ResidentId, "11010519491231002X"),
        ("身份证：１１０１０５１９４９１２３１００２Ｘ。", Kind::ResidentId, "１１０１０５１９４９１２３１００２Ｘ"),
        ("号码110105 19491231 002X已登记", Kind::ResidentId, "110105 19491231 002X"),
        ("旧证110105491231002号", Kind::ResidentId, "110105491231002"),
        ("文件_11010519491231002X.jpg", Kind::ResidentId, "11010519491231002X"),
        ("电话13812345678找我", Kind::Mobile, "13812345678"),
        ("电话１３８１２３４５６７８找我", Kind::Mobile, "１３８１２３４５６７８"),
        ("手机138-1234-5678", Kind::Mobile, "138-1234-5678"),
        ("手机+86 138 1234 5678。", Kind::Mobile, "+86 138 1234 5678"),
        ("Tel-13812345678", Kind::Mobile, "13812345678"),
        ("call +33 1 42 68 53 00 today", Kind::Mobile, "+33 1 42 68 53 00"),
        ("call +33 1 42 68 53 00 2024", Kind::Mobile, "+33 1 42 68 53 00"),
        ("(+33.1.42.68.53.00)", Kind::Mobile, "+33.1.42.68.53.00"),
        ("+44 (0)20 7946 0958, London", Kind::Mobile, "+44 (0)20 7946 0958"),
        ("ring +1 (415) 555-2671.", Kind::Mobile, "+1 (415) 555-2671"),
        ("+49 30/12345678", Kind::Mobile, "+49 30/12345678"),
        ("市民王小明反映路灯不亮", Kind::Name, "王小明"),
        ("昨天由欧阳娜娜老师签收", Kind::Name, "欧阳娜娜"),
        ("经理张伟明天到", Kind::Name, "张伟"),
        ("和李强、", Kind::Name, "李强"),
        ("Mr. John Smith called", Kind::Name, "John Smith"),
        ("my name is Mary-Ann O'Neil, and", Kind::Name, "Mary-Ann O'Neil"),
        ("座机010-62345678转801", Kind::Landline, "010-62345678"),
        ("座机(010)62345678", Kind::Landline, "(010)62345678"),
        ("客服400-812-3456热线", Kind::Landline, "400-812-3456"),
        ("卡号6222020200112230开户", Kind::BankCard, "6222020200112230"),
        ("卡号6222 0202 0011 2230开户", Kind::BankCard, "6222 0202 0011 2230"),
        ("代码91310115MA1K3BTP2B公司", Kind::Uscc, "91310115MA1K3BTP2B"),
        ("车牌粤B12345违章", Kind::Plate, "粤B12345"),
        ("车牌粤BD12345违章", Kind::Plate, "粤BD12345"),
        ("车牌京A·1234警", Kind::Plate, "京A·1234警"),
        ("护照号E12345678，", Kind::Passport, "E12345678"),
        ("passport: EA1234567", Kind::Passport, "EA1234567"),
        ("生于1990年2月28日，", Kind::Date, "1990年2月28日"),
        ("于2024-02-29办理", Kind::Date, "2024-02-29"),
        ("联系人：王小明，", Kind::Name, "王小明"),
        ("姓名欧阳娜娜电话", Kind::Name, "欧阳娜娜"),
        ("患者李强身份证", Kind::Name, "李强"),
        ("住在北京市朝阳区建国路88号院", Kind::Address, "北京市朝阳区建国路88号"),
        ("寄到广东省深圳市南山区科技园南路15号3栋502室王小明收", Kind::Address, "广东省深圳市南山区科技园南路15号3栋502室"),
    ] {
        let found: Vec<&str> = find(text).iter().filter(|span| span.kind == kind).map(|span| &text[span.start..span.end]).collect();
        assert_eq!(found, [expected], "{text} {kind}");
    }
}

#[test]
fn several_in_one_text() {
    let text = "王小明13812345678，身份证11010519491231002X；卡6222020200112230 6222020200112230，a@b.com";
    let kinds: Vec<Kind> = find(text).into_iter().map(|span| span.kind).collect();
    assert_eq!(kinds, [Kind::Name, Kind::Mobile, Kind::ResidentId, Kind::BankCard, Kind::BankCard, Kind::Email]);
}

#[test]
fn look_alikes() {
    for text in [
        "550e8400-e29b-41d4-a716-446655440000",
        "13812345-6789-4abc-8def-138123456789",
        "时间戳1748503543012",
        "1700000000",
        "1748503543012345",
        "订单号13812345678",
        "订单号：6222020200112230",
        "order no 4111111111111111",
        "3.13812345678",
        "13812345678.5元",
        "A13812345678",
        "13812345678B",
        "user_13812345678",
        "00-13812345678-00",
        "MAC 00:1a:2b:3c:4d:5e",
        "版本号 10.0.19041.1",
        "E12345678",
        "110105194912310021",
        "91310115MA1K3BTP2C",
        "2023-02-29",
        "JavaScript",
        "市场上的人很多",
        "高度重视，任何时候都要安全",
        "张先生说，李老师和王主任、欧阳女士都在",
        "成都市民、苏州市民",
        "黄河与长江，金华和杭州",
        "Miss the bus, Dr. no",
        "My name is not here",
        "x +1 20240229",
    ] {
        assert_eq!(find(text), [], "{text}");
    }
}

#[test]
fn spans_are_in_order_whatever_the_text() {
    // A cheap fuzz: pieces put together by a counter.
    let pieces =
        ["13812345678", "-", " ", "：", "６", "@", "a.com", "::", "京A", "12345", "姓名", "王", "\u{301}", "👨‍👩‍👧", "号", "+86", "(010)", "."];
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        let mut last = 0;
        for span in find(&text) {
            assert!(last <= span.start && span.start < span.end, "{text}");
            assert!(text.get(span.start..span.end).is_some(), "{text}");
            last = span.end;
        }
    }
}

#[test]
fn a_cover_leaves_no_part_of_what_is_found_anywhere() {
    for (text, expected) in [
        ("张伟先生zhang@example.com，无", &[(Kind::Name, "张伟"), (Kind::Email, "zhang@example.com")][..]),
        // The second card begins within the first.
        ("卡6222020200112230 6222020200112230", &[(Kind::BankCard, "6222020200112230"), (Kind::BankCard, "6222020200112230")]),
        // A name is one when the address before it is gone.
        (
            "住在北京市朝阳区建国路88号王小明a@b.com",
            &[(Kind::Address, "北京市朝阳区建国路88号"), (Kind::Name, "王小明"), (Kind::Email, "a@b.com")],
        ),
        ("无", &[]),
        ("", &[]),
    ] {
        let covered: Vec<(Kind, &str)> = cover(text).into_iter().map(|span| (span.kind, &text[span.start..span.end])).collect();
        assert_eq!(covered, expected, "{text}");
    }
    let chain = "王小明".repeat(40);
    let covered = cover(&chain);
    assert!(find(&without(&chain, &covered)).is_empty(), "{covered:?}");
}

/// A quadratic reading of one of these would not end.
#[test]
fn long_texts_are_read_in_time_that_grows_with_them() {
    let pieces = [
        "A-",
        "Mr. A-",
        "a@",
        "a.",
        "1 ",
        "1-",
        "+1 ",
        "+33 1 ",
        "(0)",
        "::",
        "a:",
        "1.2.",
        "王",
        "王小明",
        "王小明1",
        "、李强",
        "北京市",
        "市民",
        "姓名王",
        "６",
        "一·",
        "2024-",
        "京A",
        "é",
        "name A",
        "13812345678 ",
        "6222 0202 0011 2230 ",
        "11010519491231002X",
    ];
    for piece in pieces {
        let text = piece.repeat((1 << 17) / piece.len());
        let covered = cover(&text);
        assert!(find(&without(&text, &covered)).is_empty(), "{piece}");
        assert!(covered.iter().all(|part| text.get(part.start..part.end).is_some()), "{piece}");
    }
}
