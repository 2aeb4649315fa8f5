//! What the name of a column says: in Chinese, English and pinyin.

use super::kind::{DIRECT, QUASI, SENSITIVE};
use super::{Grade, Kind, Reason, Role};

/// What a column is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    ResidentId,
    /// Mobile or landline.
    Phone,
    Mobile,
    Landline,
    Email,
    BankCard,
    Uscc,
    Plate,
    Passport,
    Ip,
    Date,
    /// A date that many know of a person.
    Birth,
    Name,
    Address,
    /// A region, a postcode: shared by many.
    Region,
    Amount,
    Age,
    /// Sex, occupation, education, nationality, ...: what others know of a person.
    Trait,
    /// Health, belief, crime, ...: what must not be learnt.
    Sensitive,
    /// Passwords, codes of cards, biometrics.
    Secret,
    /// An account or a number that an office gave to one person or device.
    Account,
    /// A number of a thing.
    Code,
    Category,
    Number,
    Text,
}

use Meaning as M;

/// Words with which a header of Han characters ends.
const HAN: &[(Meaning, &str)] = &[
    (M::ResidentId, "身份证 身份证号 身份证号码 公民身份号码 公民身份证号 居民身份证 居民身份证号 证件号 证件号码 身份号码 身份证件号码"),
    (M::Mobile, "手机 手机号 手机号码 移动电话 电话手机"),
    (M::Phone, "电话 电话号码 联系电话 联系方式 联系号码 来电号码 主叫号码 被叫号码"),
    (M::Landline, "固定电话 座机 座机号 座机号码 固话 办公电话 传真 传真号"),
    (M::Email, "邮箱 电子邮箱 电子邮件 邮件地址 邮箱地址 电邮"),
    (M::BankCard, "银行卡 银行卡号 卡号 借记卡 信用卡 信用卡号 银行账户 银行账号"),
    (M::Uscc, "统一社会信用代码 社会信用代码 信用代码 组织机构代码 机构代码 营业执照号 纳税人识别号 税号"),
    (M::Plate, "车牌 车牌号 车牌号码 号牌号码 号牌"),
    (M::Passport, "护照 护照号 护照号码 通行证 通行证号 通行证号码"),
    (M::Ip, "地址IP 网络地址"),
    (M::Birth, "出生日期 出生年月 出生年月日 生日 出生时间 死亡日期 入院日期 出院日期"),
    (M::Date, "日期 时间 年月 日子"),
    (
        M::Name,
        "姓名 名字 联系人 收件人 收货人 户主 法人 法定代表人 患者 业主 车主 经办人 负责人 申请人 监护人 投保人 被保险人 \
         持卡人 借款人 父亲 母亲 配偶 学生 教师 医生 曾用名 人员 当事人",
    ),
    (M::Address, "地址 住址 住所 现住址 家庭住址 居住地址 户籍地址 通讯地址 详细地址 门牌号"),
    (
        M::Region,
        "城市 省份 省 市 区 县 区县 街道 籍贯 户籍 户籍地 出生地 归属地 所在地 地区 邮编 邮政编码 行政区划 行政区划代码 \
         区划代码 国家",
    ),
    (M::Amount, "金额 收入 工资 薪资 月薪 年薪 奖金 余额 存款 贷款 资产 负债 消费额 支出 应发 实发 税额 保费 月收入 年收入"),
    (M::Age, "年龄 岁数 年纪"),
    (M::Trait, "性别 民族 国籍 职业 学历 文化程度 婚姻 婚姻状况 职务 职称 工种 专业 工作单位 单位 学校"),
    (
        M::Sensitive,
        "疾病 诊断 诊断结果 病史 病情 病症 过敏史 用药 处方 血型 宗教 宗教信仰 政治面貌 犯罪记录 前科 性取向 残疾 残疾等级 \
         征信 行踪 轨迹 检查结果 检验结果",
    ),
    (M::Secret, "密码 口令 安全码 校验码 验证码 密钥 私钥 指纹 人脸 人脸特征 虹膜 声纹 基因 掌纹 密保答案 令牌"),
    (
        M::Account,
        "账号 帐号 账户 用户名 用户号 用户编号 用户标识 会员号 会员编号 社保号 社保卡号 医保号 医保卡号 病历号 住院号 门诊号 \
         学号 工号 员工编号 微信号 微信 设备号 设备标识 驾驶证号 驾照号 军官证号 户号 客户号 客户编号 人员编号 车架号 \
         档案编号",
    ),
    (M::Code, "编号 编码 序号 单号 订单号 流水号 交易号 批次号 批号 代码 运单号 工单号 合同号 发票号 型号 版本 版本号 时间戳"),
    (M::Category, "类型 类别 状态 等级 级别 方式 渠道 来源 是否 种类 标志 分类"),
    (M::Number, "数量 次数 人数 面积 身高 体重 温度 比例 百分比 得分 分数 评分 经度 纬度 总数 个数"),
    (M::Text, "备注 说明 描述 内容 摘要 留言 意见 诉求 事由 评论"),
];

/// Words with which a header of Latin letters ends, without what stands between words.
const LATIN: &[(Meaning, &str)] = &[
    (
        M::ResidentId,
        "idcard idcardno idcardnumber idno idnumber identitycard identitynumber identityno residentid nationalid citizenid \
         certno ssn socialsecuritynumber shenfenzheng shenfenzhenghao shenfenzhenghaoma sfzh sfz sfzhm zjhm gmsfhm \
         zhengjianhao",
    ),
    (M::Mobile, "mobile mobileno mobilenumber mobilephone cellphone cell cellnumber shouji shoujihao shoujihaoma sjh sjhm sj"),
    (
        M::Phone,
        "phone phoneno phonenumber telephone telephonenumber tel telno contactnumber lianxidianhua dianhua lxdh lxfs dh dhhm \
         msisdn",
    ),
    (M::Landline, "landline homephone officephone workphone fax faxno faxnumber zuoji guhua gddh"),
    (M::Email, "email emailaddress emailaddr mail mailaddress youxiang dzyx dzyj"),
    (
        M::BankCard,
        "bankcard bankcardno cardno cardnumber creditcard creditcardno creditcardnumber debitcard pan yinhangka yinhangkahao \
         kahao yhkh yhk kh iban bankaccount",
    ),
    (M::Uscc, "uscc creditcode socialcreditcode unifiedsocialcreditcode orgcode tyshxydm zzjgdm siret siren vat taxid taxno duns"),
    (M::Plate, "plate plateno platenumber licenseplate carplate vehicleplate registrationplate chepai chepaihao cph cphm hphm"),
    (M::Passport, "passport passportno passportnumber passportid huzhao huzhaohao hzh hzhm"),
    (M::Ip, "ip ipaddress ipaddr ipv4 ipv6 clientip remoteaddr hostip"),
    (
        M::Birth,
        "birth birthdate birthday dateofbirth datebirth dob chusheng chushengriqi shengri csrq csny admissiondate dateofdeath \
         birthyear",
    ),
    (M::Date, "date time datetime timestamp day createdat updatedat riqi rq shijian sj"),
    (
        M::Name,
        "name fullname realname truename firstname lastname surname familyname givenname middlename maidenname personname \
         custname customername patientname studentname employeename contactname ownername holdername cardholder xingming \
         mingzi xm lianxiren lxr fname lname patronyme contactperson",
    ),
    (
        M::Address,
        "address addr streetaddress homeaddress postaladdress mailingaddress residence street dizhi zhuzhi jiatingzhuzhi jtzz \
         dz zz txdz hjdz",
    ),
    (
        M::Region,
        "city province state county district town region country zip zipcode postcode postalcode birthplace placeofbirth \
         chengshi shengfen quxian youbian yb jg jiguan nativecountry location",
    ),
    (
        M::Amount,
        "amount salary income wage pay balance revenue bonus deposit loan debt payment money jine je gongzi gz shouru sr yue \
         ye capitalgain capitalloss monthlyincome annualincome",
    ),
    (M::Age, "age nianling nl"),
    (
        M::Trait,
        "sex gender race ethnicity ethnicgroup nationality occupation profession job jobtitle education degree marital \
         maritalstatus relationship workclass employer school xingbie xb minzu mz zhiye zy xueli xl hunyin hyzk guoji \
         civility language",
    ),
    (
        M::Sensitive,
        "disease diagnosis illness medicalhistory allergy prescription religion politicalparty criminalrecord \
         sexualorientation disability bloodtype hiv jibing zhenduan zongjiao icd icd10 health",
    ),
    (
        M::Secret,
        "password passwd pwd passphrase secret secretkey privatekey apikey token accesstoken cvv cvv2 cvn cvn2 cvc pin \
         pincode otp fingerprint biometric faceid facefeature iris voiceprint dna mima mm kouling credential salt \
         passwordhash securityanswer photo signature",
    ),
    (
        M::Account,
        "account accountno accountid accountnumber userid username login memberid memberno customerid clientid clientcode \
         openid unionid wechat weixin qq deviceid imei imsi mac macaddress patientid studentid studentno employeeid \
         employeeno staffid medicalrecordno mrn socialsecurity driverlicense vin personid zhanghao xuehao gonghao yonghuming \
         binglihao facebook facebookid twitter twitterid skype skypeid linkedin url website uid identifier ldapid linkedinid \
         google googleid medicalrecord insuranceid",
    ),
    (
        M::Code,
        "orderno orderid ordernumber orderref invoice invoiceno serial serialno serialnumber sn sku uuid guid traceid \
         requestid transactionid batchno trackingno code hash version id bianhao bh ddh dingdanhao liushuihao lsh seq rowid key \
         eventid",
    ),
    (M::Category, "type category status level kind class channel source flag zhuangtai leixing lx zt"),
    (
        M::Number,
        "count quantity qty score weight height area temperature rate percent latitude longitude lat lng lon total number \
         shuliang sl",
    ),
    (M::Text, "remark remarks note notes comment comments description content message text memo summary beizhu bz body"),
];

/// Before `name` these words make a name of a person; all others make one of a thing.
const PERSONS: &str = "first last full family given sur middle maiden real true legal birth person people customer cust client patient \
    student teacher employee staff member user contact owner holder applicant father mother spouse child parent \
    guardian driver doctor passenger guest recipient sender";

/// Names of things end so.
const HAN_THINGS: &str = "名称";

/// What a header says; none when it says nothing that is known.
pub(super) fn meaning(header: &str) -> Option<Meaning> {
    let header = bare(header);
    if header.is_ascii() { latin(&header) } else { han(&header) }
}

/// Without what stands in brackets, digits at the end, and full-width forms.
fn bare(header: &str) -> String {
    let mut out = String::with_capacity(header.len());
    let mut depth = 0_usize;
    for character in header.chars() {
        match character {
            '(' | '（' | '[' | '【' => depth += 1,
            ')' | '）' | ']' | '】' => depth = depth.saturating_sub(1),
            '\u{ff01}'..='\u{ff5e}' if depth == 0 => out.extend(char::from_u32(u32::from(character) - 0xfee0)),
            _ if depth == 0 => out.push(character),
            _ => {}
        }
    }
    let end = out.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '_' | '-' | ' ' | '.' | '#' | '*'));
    // `ipv4`, `icd10`, `cvn2` keep their digits: they are words of the list.
    let kept = latin_words(&out).concat();
    if LATIN.iter().any(|(_, words)| has(words, &kept)) { out } else { end.to_owned() }
}

fn han(header: &str) -> Option<Meaning> {
    if header.ends_with(HAN_THINGS) {
        return None;
    }
    let longest = |words: &str| words.split(' ').filter(|word| header.ends_with(word)).map(|word| word.len()).max();
    HAN.iter()
        .filter_map(|(meaning, words)| Some((longest(words)?, *meaning)))
        .max_by_key(|(length, _)| *length)
        .map(|(_, meaning)| meaning)
}

fn latin(header: &str) -> Option<Meaning> {
    let words = latin_words(header);
    // From the whole header to its last word: the longest end that is known.
    let (skipped, meaning) = (0..words.len()).find_map(|skipped| {
        let end = words[skipped..].concat();
        // Two letters mean something only alone.
        let alone = end.len() > 2 || skipped == 0 || end == "ip" || end == "id";
        LATIN.iter().find(|(_, list)| alone && has(list, &end)).map(|(meaning, _)| (skipped, *meaning))
    })?;
    let before = skipped.checked_sub(1).map(|before| words[before].as_str());
    match (meaning, before) {
        (M::Name, Some(before)) if words.len() - skipped == 1 && words[skipped] == "name" && !has(PERSONS, before) => None,
        _ => Some(meaning),
    }
}

/// Whether a list of words has this one.
fn has(words: &str, word: &str) -> bool {
    words.split(' ').any(|other| other == word)
}

/// Words in lower case: cut where case, digits and punctuation change.
fn latin_words(header: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    for character in header.chars() {
        let starts = !last.is_ascii_alphanumeric() || last.is_ascii_lowercase() && character.is_ascii_uppercase();
        if character.is_ascii_alphanumeric() {
            match words.last_mut() {
                Some(word) if !starts => word.push(character.to_ascii_lowercase()),
                _ => words.push(character.to_ascii_lowercase().to_string()),
            }
        }
        last = character;
    }
    words
}

impl Meaning {
    /// Whether the header names the kind.
    pub(super) fn names(self, kind: &Kind) -> bool {
        match self {
            M::ResidentId => *kind == Kind::ResidentId,
            M::Phone => matches!(kind, Kind::Mobile | Kind::Landline),
            M::Mobile => *kind == Kind::Mobile,
            M::Landline => *kind == Kind::Landline,
            M::Email => *kind == Kind::Email,
            M::BankCard => *kind == Kind::BankCard,
            M::Uscc => *kind == Kind::Uscc,
            M::Plate => *kind == Kind::Plate,
            M::Passport => *kind == Kind::Passport,
            M::Ip => *kind == Kind::Ip,
            M::Date | M::Birth => matches!(kind, Kind::Date | Kind::YearMonth),
            M::Name => *kind == Kind::Name,
            M::Address => *kind == Kind::Address,
            M::Region => matches!(kind, Kind::Category | Kind::Address),
            M::Amount => *kind == Kind::Amount,
            M::Age | M::Number => *kind == Kind::Number,
            M::Trait | M::Category => *kind == Kind::Category,
            M::Account | M::Code => *kind == Kind::Code,
            M::Text => *kind == Kind::Text,
            M::Sensitive | M::Secret => false,
        }
    }

    /// The kind of a column in which there is no cell.
    pub(super) fn kind(self) -> Kind {
        match self {
            M::Phone => Kind::Mobile,
            M::Sensitive | M::Secret => Kind::Text,
            M::Region => Kind::Category,
            _ => Kind::BUILTIN.into_iter().find(|kind| self.names(kind)).unwrap_or(Kind::Text),
        }
    }

    /// What the header adds to what the cells say: role, grade and reason.
    pub(super) fn adds(self) -> Option<(Role, Grade, Reason)> {
        Some(match self {
            M::Secret => (
                Role::Sensitive,
                Grade::L4,
                Reason::of("it authenticates a person, or is a feature of the body", "JR/T 0197-2020 level 4; GB/T 35273-2020 Annex B"),
            ),
            M::Sensitive => (Role::Sensitive, Grade::L3, Reason::of("what must not be learnt about a person", SENSITIVE)),
            M::Account => (Role::Direct, Grade::L3, Reason::of("a number that belongs to one person or device", DIRECT)),
            M::Birth => (Role::Quasi, Grade::L3, Reason::of("a date that others know of a person", QUASI)),
            M::Region | M::Trait | M::Age => (Role::Quasi, Grade::L2, Reason::of("with others of its kind it singles out people", QUASI)),
            _ => return None,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        for (header, expected) in [
            ("身份证号码", Some(M::ResidentId)),
            ("申请人身份证", Some(M::ResidentId)),
            ("shenfenzheng", Some(M::ResidentId)),
            ("SFZH", Some(M::ResidentId)),
            ("id_card_no", Some(M::ResidentId)),
            ("idCardNumber", Some(M::ResidentId)),
            ("手机号(必填)", Some(M::Mobile)),
            ("shouji", Some(M::Mobile)),
            ("Phone Number", Some(M::Phone)),
            ("phone1", Some(M::Phone)),
            ("联系人电话", Some(M::Phone)),
            ("e-mail", Some(M::Email)),
            ("email_address", Some(M::Email)),
            ("ip_address", Some(M::Ip)),
            ("client_ip", Some(M::Ip)),
            ("mac_address", Some(M::Account)),
            ("home address", Some(M::Address)),
            ("身份证地址", Some(M::Address)),
            ("手机号归属地", Some(M::Region)),
            ("姓名", Some(M::Name)),
            ("name", Some(M::Name)),
            ("customer_name", Some(M::Name)),
            ("product_name", None),
            ("file name", None),
            ("公司名称", None),
            ("xingming", Some(M::Name)),
            ("xm", Some(M::Name)),
            ("birth", Some(M::Birth)),
            ("出生日期", Some(M::Birth)),
            ("办理日期", Some(M::Date)),
            ("date_of_birth", Some(M::Birth)),
            ("月收入（元）", Some(M::Amount)),
            ("sex", Some(M::Trait)),
            ("city", Some(M::Region)),
            ("age", Some(M::Age)),
            ("password", Some(M::Secret)),
            ("cvn2", Some(M::Secret)),
            ("登录密码", Some(M::Secret)),
            ("订单号", Some(M::Code)),
            ("order_no", Some(M::Code)),
            ("统一社会信用代码", Some(M::Uscc)),
            ("ipv4", Some(M::Ip)),
            ("id", Some(M::Code)),
            ("row_id", Some(M::Code)),
            ("x", None),
            ("", None),
            ("（）", None),
            ("手机品牌", None),
        ] {
            assert_eq!(meaning(header), expected, "{header}");
        }
    }

    #[test]
    fn no_word_stands_under_two_meanings() {
        for list in [HAN, LATIN] {
            let mut words: Vec<&str> = list.iter().flat_map(|(_, words)| words.split(' ')).filter(|word| word.len() > 2).collect();
            words.sort_unstable();
            assert_eq!(words.windows(2).find(|pair| pair[0] == pair[1]), None);
        }
    }

    /// The dictionary of column names of another project, in English: facts to compare with, if they are there.
    #[test]
    fn most_of_a_foreign_dictionary_is_known() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/dictionary/identifier.csv");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: no ../shared");
            return;
        };
        let names = || text.lines().filter_map(|line| line.strip_prefix("en_US\t")?.split('\t').next());
        let unknown: Vec<&str> = names().filter(|name| meaning(name).is_none()).collect();
        println!("{} of {} unknown: {unknown:?}", unknown.len(), names().count());
        assert!(unknown.len() * 4 < names().count(), "{unknown:?}");
    }
}
