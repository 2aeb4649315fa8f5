//! The words with which the names of columns speak: one table for every language, by what they mean.
//!
//! Direct identifiers stand here in Chinese (both scripts), English, pinyin, Japanese, Korean, Russian, German, French and Spanish,
//! other meanings in Chinese, English and pinyin. A word behind `=` counts only as the whole name.

use super::Meaning::{self, self as M};

/// Words with which a name ends that has Han characters, kana or hangul; letters in lower case, nothing between them.
pub(super) const HAN: &[(Meaning, &str)] = &[
    (
        M::ResidentId,
        "身份证 身份证号 身份证号码 公民身份号码 公民身份证号 居民身份证 居民身份证号 证件号 证件号码 身份号码 身份证件号码 证件 证号 身份证件 身份證 身份證號 身份證號碼 身分證 身分證字號 身分證號碼 證件 \
         證件號 證件號碼 香港身份证 マイナンバー 個人番号 本人確認書類番号 주민등록번호 주민번호 외국인등록번호",
    ),
    (
        M::Mobile,
        "手机 手机号 手机号码 移动电话 电话手机 手機 手機號 手機號碼 流動電話 手提電話 携帯 携帯電話 携帯番号 携帯電話番号 휴대폰 휴대폰번호 휴대전화 휴대전화번호 핸드폰 핸드폰번호",
    ),
    (
        M::Phone,
        "电话 电话号码 联系电话 联系方式 联系号码 来电号码 主叫号码 被叫号码 電話 電話號碼 聯絡電話 聯絡方式 電話番号 連絡先 전화 전화번호 연락처",
    ),
    (M::Landline, "固定电话 座机 座机号 座机号码 固话 办公电话 传真 传真号 傳真 ファックス ファックス番号 fax番号 팩스 팩스번호"),
    (
        M::Email,
        "邮箱 电子邮箱 电子邮件 邮件地址 邮箱地址 电邮 电子邮箱地址 邮箱号 邮件 电子信箱 email地址 mail地址 電郵 電郵地址 電子郵件 電子郵箱 メール メールアドレス 이메일 이메일주소 메일주소",
    ),
    (
        M::BankCard,
        "银行卡 银行卡号 卡号 借记卡 信用卡 信用卡号 银行账户 银行账号 银行卡号码 信用卡号码 银行卡账号 信用卡號 信用卡號碼 銀行卡 銀行卡號 銀行帳號 銀行賬號 卡號 カード番号 クレジットカード \
         クレジットカード番号 口座番号 카드번호 계좌번호",
    ),
    (M::Uscc, "统一社会信用代码 社会信用代码 信用代码 组织机构代码 机构代码 营业执照号 纳税人识别号 税号"),
    (
        M::Plate,
        "车牌 车牌号 车牌号码 号牌号码 号牌 车牌照 车牌照号 号牌号 車牌 車牌號 車牌號碼 ナンバープレート 車両番号 車両登録番号 차량번호 번호판",
    ),
    (
        M::Passport,
        "护照 护照号 护照号码 通行证 通行证号 通行证号码 护照编号 護照 護照號 護照號碼 回乡证号 港澳通行证 旅券番号 パスポート パスポート番号 여권 여권번호",
    ),
    (M::Ip, "网络地址 ip地址 ip 服务器地址"),
    (M::Birth, "出生日期 出生年月 出生年月日 生日 出生时间 死亡日期 入院日期 出院日期 生年月日 생년월일"),
    (M::Date, "日期 时间 年月 日子"),
    (
        M::Name,
        "姓名 名字 联系人 收件人 收货人 户主 法人 法定代表人 患者 业主 车主 经办人 负责人 申请人 监护人 投保人 被保险人 持卡人 借款人 父亲 母亲 配偶 学生 教师 医生 曾用名 人员 当事人 姓名拼音 英文名 \
         中文名 昵称 =姓 =名 =姓氏 氏名 お名前 名前 =苗字 フリガナ ふりがな =성 =이름 성명 성함 고객이름 姓名全称",
    ),
    (
        M::Address,
        "地址 住址 住所 现住址 家庭住址 居住地址 户籍地址 通讯地址 详细地址 门牌号 住宅地址 家庭地址 现居住地 居住地 收货地址 收件地址 送货地址 联系地址 户籍所在地 住址門牌 住所地 お住まい 주소 집주소",
    ),
    (
        M::Region,
        "城市 省份 省 市 区 县 区县 街道 籍贯 户籍 户籍地 出生地 归属地 所在地 地区 邮编 邮政编码 行政区划 行政区划代码 区划代码 国家",
    ),
    (M::Amount, "金额 收入 工资 薪资 月薪 年薪 奖金 余额 存款 贷款 资产 负债 消费额 支出 应发 实发 税额 保费 月收入 年收入"),
    (M::Age, "年龄 岁数 年纪"),
    (M::Trait, "性别 民族 国籍 职业 学历 文化程度 婚姻 婚姻状况 职务 职称 工种 专业 工作单位 单位 学校"),
    (
        M::Sensitive,
        "疾病 诊断 诊断结果 病史 病情 病症 过敏史 用药 处方 血型 宗教 宗教信仰 政治面貌 犯罪记录 前科 性取向 残疾 残疾等级 征信 行踪 轨迹 检查结果 检验结果",
    ),
    (M::Secret, "密码 口令 安全码 校验码 验证码 密钥 私钥 指纹 人脸 人脸特征 虹膜 声纹 基因 掌纹 密保答案 令牌"),
    (
        M::Account,
        "账号 帐号 账户 用户名 用户号 用户编号 用户标识 会员号 会员编号 社保号 社保卡号 医保号 医保卡号 病历号 住院号 门诊号 学号 工号 员工编号 微信号 微信 设备号 设备标识 驾驶证号 驾照号 军官证号 户号 \
         客户号 客户编号 人员编号 车架号 档案编号 会员卡号 学生卡号 饭卡号 公交卡号 sim卡号 一卡通号 学籍号 准考证号 考生号 驾驶证 驾照 驾驶证号码 驾驶执照 驾驶执照号 驾驶证编号 军官证 士兵证号 残疾证号 \
         社会保障号 社会保障号码 社会保险号 qq号 qq 微博 用户id 会员id 客户id 员工id mac地址 vin码 帳號 賬號 駕駛執照 駕照 免許証 免許証番号 運転免許証番号 保険証番号 被保険者番号 \
         基礎年金番号 会員番号 社員番号 학번 사번 면허번호 운전면허번호 회원번호",
    ),
    (
        M::Code,
        "编号 编码 序号 单号 订单号 流水号 交易号 批次号 批号 代码 运单号 工单号 合同号 发票号 型号 版本 版本号 时间戳 链接地址 网站地址 网页地址 图片地址 文件地址 存储地址 下载地址 接口地址 网址",
    ),
    (M::Category, "类型 类别 状态 等级 级别 方式 渠道 来源 是否 种类 标志 分类"),
    (M::Place, "经度 纬度 经纬度 坐标 地理坐标 经纬度坐标 gps坐标 座標 座标 地理位置 經度 緯度 経度 経緯度 위도 경도 좌표"),
    (M::Number, "数量 次数 人数 面积 身高 体重 温度 比例 百分比 得分 分数 评分 总数 个数"),
    (M::Text, "备注 说明 描述 内容 摘要 留言 意见 诉求 事由 评论"),
];

/// Words with which a name of other letters ends: in lower case, without accents, nothing between them.
pub(super) const LATIN: &[(Meaning, &str)] = &[
    (
        M::ResidentId,
        "idcard idcardno idcardnumber idno idnumber identitycard identitynumber identityno residentid nationalid \
         citizenid certno ssn socialsecuritynumber shenfenzheng shenfenzhenghao shenfenzhenghaoma sfzh sfz sfzhm zjhm \
         gmsfhm zhengjianhao ssnno ssnumber ssno socialsecurityno socsec nationalidno nationalidnumber \
         nationalidentitynumber nationalinsurancenumber nino niss nin nric nricno hkid hkidno hkic mykad aadhaar \
         aadhar curp dni nie nif cedula cedulaidentidad documentodeidentidad codicefiscale cpf bsn pesel personnummer \
         personalausweis personalausweisnummer ausweis ausweisnummer ausweisnr personalnummer svnr \
         sozialversicherungsnummer steueridentifikationsnummer nir nss numerosecuritesociale securitesociale \
         cartedidentite carteidentite cni снилс инн idcardcode identification identificationno identificationnumber \
         identitydocument identitydocumentno citizenidnumber citizenno personalid personalidno personalnumber \
         hukoubenhao zjh zhengjian",
    ),
    (
        M::Mobile,
        "mobile mobileno mobilenumber mobilephone cellphone cell cellnumber shouji shoujihao shoujihaoma sjh sjhm sj \
         mobiles mobilephonenumber mobilenum mobiletel cellphoneno cellphonenumber cellno handy handynummer handynr \
         mobilnummer mobilfunk portable numeroportable movil telefonomovil celular keitai keitaidenwa мобильный \
         мобильныйтелефон мобильного сотовый",
    ),
    (
        M::Phone,
        "phone phoneno phonenumber telephone telephonenumber tel telno contactnumber lianxidianhua dianhua lxdh lxfs \
         dh dhhm msisdn phones phonenum phonenr telephoneno telnum telnumber telephonenum contactno contactphone \
         telefon telefonnummer telefonnr rufnummer fon telefono numerotelefono numerotelephone denwa denwabango \
         телефон телефона телефоны whatsapp whatsappnumber",
    ),
    (
        M::Landline,
        "landline homephone officephone workphone fax faxno faxnumber zuoji guhua gddh festnetz festnetznummer telefax \
         faxnummer телефонфакс факс",
    ),
    (
        M::Email,
        "email emailaddress emailaddr mail mailaddress youxiang dzyx dzyj emails emailid mailaddr emailadresse \
         mailadresse courriel adressemail adressemel correo correoelectronico meru meruadoresu емейл почта \
         электроннаяпочта электроннойпочты эпочта",
    ),
    (
        M::BankCard,
        "bankcard bankcardno cardno cardnumber creditcard creditcardno creditcardnumber debitcard pan yinhangka \
         yinhangkahao kahao yhkh yhk kh iban bankaccount card cards cardnum ibanno ibannumber ibancode accountiban \
         bankaccountno bankaccountnumber bankcardnumber creditcardnum debitcardno debitcardnumber paymentcard \
         kontonummer kontonr bankverbindung kreditkarte kreditkartennummer cartebancaire numerocarte cartedecredit rib \
         tarjeta numerotarjeta tarjetacredito tarjetadecredito tarjetadebito cuentabancaria numerocuenta clabe \
         routingnumber карта карты картабанка номеркарты номерсчета",
    ),
    (
        M::Uscc,
        "uscc creditcode socialcreditcode unifiedsocialcreditcode orgcode tyshxydm zzjgdm siret siren vat taxid taxno \
         duns",
    ),
    (
        M::Plate,
        "plate plateno platenumber licenseplate carplate vehicleplate registrationplate chepai chepaihao cph cphm hphm \
         platenum platecode plates licenseplateno licenseplatenumber licenceplate licenceplateno licenceplatenumber \
         numberplate carplateno vehicleplateno vehicleregistration registrationmark vrm vrn kennzeichen kfzkennzeichen \
         plaque immatriculation plaqueimmatriculation matricula placa госномер номеравто chepaihaoma cphao",
    ),
    (
        M::Passport,
        "passport passportno passportnumber passportid huzhao huzhaohao hzh hzhm passports passportnum passportcode \
         passnr passnummer reisepass reisepassnummer reisepassnr passeport numeropasseport pasaporte \
         numeropasaporte паспорт паспорта паспортныеданные huzhaohaoma",
    ),
    (
        M::Ip,
        "ip ipaddress ipaddr ipv4 ipv6 clientip remoteaddr hostip ipaddresses ipaddrs ips sourceip destip srcip dstip \
         userip",
    ),
    (
        M::Birth,
        "birth birthdate birthday dateofbirth datebirth dob chusheng chushengriqi shengri csrq csny admissiondate \
         dateofdeath birthyear geburtsdatum geburtstag datedenaissance naissance fechadenacimiento fechanacimiento \
         датарождения",
    ),
    (M::Date, "date time datetime timestamp day createdat updatedat riqi rq shijian sj"),
    (
        M::Name,
        "name fullname realname truename firstname lastname surname familyname givenname middlename maidenname \
         personname custname customername patientname studentname employeename contactname ownername holdername \
         cardholder xingming mingzi xm lianxiren lxr fname lname patronyme contactperson names fullnames forename \
         forenames firstnames lastnames surnames persname persnames nameofperson nickname screenname givennames \
         legalname vorname nachname familienname geburtsname vollername nom prenom prenoms nomcomplet nomdefamille \
         nomfamille nomprenom nombre nombres nombrecompleto nombreyapellidos apellido apellidos primerapellido \
         segundoapellido shimei onamae namae фио имя фамилия отчество фамилияимя имени",
    ),
    (
        M::Address,
        "address addr streetaddress homeaddress postaladdress mailingaddress residence street dizhi zhuzhi \
         jiatingzhuzhi jtzz dz zz txdz hjdz addresses addr1 addr2 homeaddr residentialaddress livingaddress \
         permanentaddress currentaddress shippingaddress billingaddress deliveryaddress streetname streetaddr streetno \
         streetnumber housenumber houseno domicile anschrift adresse wohnadresse wohnanschrift strasse strassenname \
         hausnummer hausnr wohnort rue voie direccion domicilio calle jusho adres адрес адреса проживания прописка \
         прописки улица jiatingdizhi lianxidizhi xiangxidizhi",
    ),
    (
        M::Region,
        "city province state county district town region country zip zipcode postcode postalcode birthplace \
         placeofbirth chengshi shengfen quxian youbian yb jg jiguan nativecountry location",
    ),
    (
        M::Amount,
        "amount salary income wage pay balance revenue bonus deposit loan debt payment money jine je gongzi gz shouru \
         sr yue ye capitalgain capitalloss monthlyincome annualincome",
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
        "account accountno accountid accountnumber userid username login memberid memberno customerid clientid \
         clientcode openid unionid wechat weixin qq deviceid imei imsi mac macaddress patientid studentid studentno \
         employeeid employeeno staffid medicalrecordno mrn socialsecurity driverlicense vin personid zhanghao xuehao \
         gonghao yonghuming binglihao facebook facebookid twitter twitterid skype skypeid linkedin url website uid \
         identifier ldapid linkedinid google googleid medicalrecord insuranceid license licence licenses licenseno \
         licensenumber licensenum licenseid licenceno licencenumber driverslicense driverslicence driverlicence \
         driverlicenseno driverlicensenumber driverslicenseno driverslicensenumber drivinglicense drivinglicence \
         drivinglicenseno drivinglicenceno driverslicensenum dln fuehrerschein fuhrerschein fuehrerscheinnummer \
         fuhrerscheinnummer permis permisdeconduire numeropermis licencia licenciadeconducir licenciaconducir права \
         водительскоеудостоверение удостоверение удостоверения taxpayerid tin itin steuerid steuernummer steuernr rfc \
         permitno permitnumber medicareno medicarenumber nhsnumber nhsno healthcardno healthinsuranceno insuranceno \
         insurancenumber policyholderid militaryid voterid enrollmentno enrolmentno membershipno membershipnumber \
         jiashizheng jiazhao shebaohao yibaohao telegram viber imo accountnum acctno acctnumber acct deviceserial \
         usernumber userno",
    ),
    (
        M::Code,
        "orderno orderid ordernumber orderref invoice invoiceno serial serialno serialnumber sn sku uuid guid traceid \
         requestid transactionid batchno trackingno code hash version id bianhao bh ddh dingdanhao liushuihao lsh seq \
         rowid key eventid",
    ),
    (M::Category, "type category status level kind class channel source flag zhuangtai leixing lx zt"),
    (
        M::Place,
        "latitude longitude lat lng lon lats lons lngs latlng latlon latlong lnglat lonlat =long geohash geopoint \
         geolocation geocode geoposition gps gpslat gpslng gpslon gpslatitude gpslongitude gpscoordinates coordinate \
         coordinates coord coords wkt breitengrad laengengrad langengrad geolat geolng geolon latitud longitud \
         coordonnees coordenadas широта долгота координаты jingdu weidu jingweidu zuobiao",
    ),
    (M::Number, "count quantity qty score weight height area temperature rate percent total number shuliang sl"),
    (M::Text, "remark remarks note notes comment comments description content message text memo summary beizhu bz body"),
];

/// Before `name`, and behind it, these words make a name of a person; all others make one of a thing.
pub(super) const PERSONS: &str = "first last full family given sur middle maiden real true legal birth person people customer cust client patient \
    student teacher employee staff member user contact owner holder applicant father mother spouse child parent \
    guardian driver doctor passenger guest recipient sender contactperson english chinese native local kana kanji \
    romaji roman preferred previous former nick nickname married alias insured policyholder borrower lender \
    beneficiary tenant landlord resident citizen voter victim witness suspect author buyer seller payer payee operator \
    manager agent nurse candidate subscriber consumer account emergency partner relative next kin husband wife son \
    daughter clients clientes cliente clienta kunde kunden kundin personne persona paciente empleado employe eleve \
    alumno usuario utilisateur display accountholder cardholder signatory referrer founder visitor pupil worker \
    labourer colleague клиента пациента сотрудника владельца заявителя";

/// Words behind what a column holds that say which of several it is, or in which form: `phone_home`, `name_en`, `ssn_hash`.
pub(super) const QUALIFIERS: &str = "home work office main primary secondary alt alternate alternative other old new current previous original raw line \
  full cn en zh ja jp ko de fr es ru kana kanji local native latin pinyin romaji first last middle text \
  string str num no number nr mobile cell private business company personal contact shipping billing delivery \
  mailing postal registered permanent residential emergency day evening night plain clear encrypted masked hash \
  hashed enc md sha unmasked one two three four a b c";

/// The same in Han characters and kana.
pub(super) const HAN_QUALIFIERS: &str =
    "一 二 三 四 信息 拼音 备用 其他 明文 原始 原文 全文 全称 旧 新 英文 中文 必填 选填 加密 密文 脱敏 カナ かな 英語 正式";

/// Names of things end so.
pub(super) const HAN_THINGS: &str = "名称 名稱 商品名 会社名 ファイル名 製品名 상품이름 제품이름 파일이름 회사이름";

/// Beside these words of Cyrillic letters a word of a person is one of a thing.
pub(super) const CYRILLIC_THINGS: &str =
    "файл файла сервера домена компании организации товара продукта таблицы поля тип вид статус модель";

/// What stands between what a column holds and whose it is: `date_of_birth`, `nom du client`.
pub(super) const OF: &str = "of de du des del d der von";

/// Pinyin initials that mean other things as often; they name nobody alone.
pub(super) const UNSURE: &str = "sj kh zz hzh";
