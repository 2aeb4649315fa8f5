//! Characters and names with which given names are made (名): what tells the name of a person from a word that begins with a surname.

use super::surname::{NameForm, is_surname, name_form};

/// Characters of given names, the frequent ones of all generations. Words are made of some of them too: alone they prove nothing.
const GIVEN: &str = "\
伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英兰华玉红梅建国志文海林云龙飞鹏鑫波斌辉宇浩晨阳佳雪婷慧颖琳璐莹洁欣怡妍萱涵梓轩子睿博晓东春燕\
凤珍琴萍莉玲菊珠翠雅芝竹荣爱香月莺媛瑞凡倩雨桐思雯嘉昊天瀚泽俊豪毅恒锋峰永健世广义良仁宁贵福生元胜学祥才武新利清富顺信树炎德泰盛雄琛钧冠策\
腾楠榕风航弘立诚先敬震振壮群邦承乐绍功松善厚庆民友裕哲江亮政谦亨奇翰朗伯宏若鸣朋梁栋维启克伦翔旭炳钢坤瑜琪瑶瑾琼瑛璇珊珂玥诗语彤晴岚芸苗芷\
婉娴馨悦蕾菲薇蓉露茜荷枝黛青娅姣姝嫣卉茹育娇妮晶茵丹冰爽琬羽希绮蓓荔滢筠柔凝仪纯毓昭伊亚宜舒熙皓煜烨炫炜焕灿烁曦昕昱晟晖景星辰宸霖霆雷森彬\
柏桦梧楷棋樱沐沛沁泓泉洪津淇淑淳渊湘源溪潇澜澄灵焱然煊熠玺珏珑琦琨琰瑄璋璟畅皎盈睦知硕祎祺禄禹秋笑筱素紫绪绣缘美翎翊耀聪胤致舟艺艾苏苒茂茗荃莎菁\
菡萌蔚蕴虹蝶衡诺谊豫贝贤赫跃达远逸逢遥郁郡钊钰铃铭铮锐锦镇雁霏靖韬韵韶颂颢飒骁骏骞魁鸿鹤麒麟黎默齐彪彦忠孝培基宗宝尚山岩崇川巧帆康延廷念恩悟\
惠意成才振敦斯朝本权来桃楚欢正毓沙法洲济润深满滨火炯玮琅璨申百石礼秉章笛红纹经维绮罡翼聿胜臣良苹蒙蓓藩虎西言誉豆贞贵进连通道遂重金钦铁银鑫锡长门闯\
队阿陵隆雁非顶颜风香驰高鲲鹰丁万中丰久乔二仲任伍佩依俐俭保信修倍偲储傲儒元兆光兴典冬净凌凯函刘初前力加励劲勤化升卓单南占卫厉友双发可史叶合向吉\
同君吟周品唯喜嘉四固圆圣均坚城堂声夏多大奕好如妙姗姿娣婕孟宛安定宾家容宽密寅寿小少尔尧展峻岭巍左巩川州巨帅常幸幼庭开弟张彰影彩得微心怀怿恺情愉愿慈懿\
懋戈成戎才扬抒拓捷接政效敖斐斗方施日旦旺昂昆昌易映显晋普智曼最有服望未杨果柯柱柳栩根格桓桑森椿模次欧步殊比毛水汉汐沅沈法泳泽流浚浪润涌淼渝游湛源漪\
漫潘潮澍濂烈焰熊爽牛牧特状献玄王玫玲珈珺球理璧用甜田男留登白益盼直相真眉瞳矜石祁祖禾秦稳穆空立端竞笃第筝策箫粤精紫红绵绿罗羚群羲翠老者耘聚肃胡腊腾自\
至舜舟良色芊芙芬芮苑英茵草荀莲莳菀葆葳蓬蔓蕊薪藏蘅虞行裳西观言记许论诠询调谅谦谨豪起超越路轶轲边迅迎进迪道遇邈郎都里野量钧铎铸锋键镕闻阳际雄霄青革项领顾飏首馥驹高魏鱼鲜黄默\
";

/// Characters that words seldom end with, behind a surname.
const TELLING: &str = "\
伟芳娜敏静丽磊勇艳杰娟涛霞刚秀兰英琳婷慧颖佳鑫鹏斌辉浩宇欣怡洁莹萍莉玲燕凤珍琴倩琪瑶轩涵睿俊豪建军峰雯妍萱梓媛晓志国明华玉红梅文海林云龙飞超强平桂\
波晨阳雪博子雅芝荣雨桐思嘉昊天瀚泽毅锋永世德胜学祥武庆民哲江亮宏翔旭坤瑜瑾珊玥诗彤晴芸婉馨悦蕾菲薇蓉茜娇晶丹昕晟宸霖彬沐淑溪然琦硕祺聪茂贤逸铭锐锦\
靖韵骏鸿麟彦忠宝康惠正成春东洋香月瑞凡恒健福生良仁宁贵元新清富顺树雄乐松善裕栋维";

/// Of these a name of two characters needs no other sign.
const ALONE: &str = "伟芳娜敏静丽磊勇艳杰娟涛霞刚秀兰琳婷慧颖佳鑫鹏斌辉浩宇欣怡洁莹萍莉玲燕凤珍琴倩琪瑶轩涵睿俊豪军峰雯妍萱梓媛超强";

/// Frequent surnames with which few words begin.
const TELLING_SURNAMES: &str =
    "王李张刘陈杨赵周徐孙朱胡郭罗郑梁谢宋唐韩冯邓曹彭曾肖董袁潘蒋蔡杜苏魏吕姚卢姜崔谭汪范廖贾韦傅薛邹孟熊秦邱尹侯陶贺郝龚邵吴";

/// Given names of the countries that write them in Latin letters, without those that are words or places too.
const LATIN: &str = "\
aaron adam alessandro alexander alice amanda amy ana andrea andrew angela anna anne anthony antonio barbara benjamin brandon brenda \
brian carlos carol caroline catherine charles christian christine christopher claire cynthia daniel david deborah dennis diana donald \
donna dorothy edward elena elizabeth emily emma eric eva fernando francesco francois frank gary george giovanni giulia gregory hans \
heather heinz helen henry ingrid isabel ivan jacob james jane janet jason jean jeffrey jennifer jerry jessica joao john jonathan jorge \
jose joseph joshua juan julia julie jurgen karen katherine kathleen kenneth kevin klaus kyle larry laura linda lisa lucas luis maria \
marie mario mark martin mary matthew melissa michael michel michelle miguel mohammed monica nancy natalia nathan nicholas nicole olivia \
pamela patricia patrick paul paulo pedro peter philip pierre rachel rebecca richard robert ronald ruth ryan samantha samuel sandra sara \
sarah scott sharon sophie stefan stephanie stephen steven susan thomas timothy tyler ursula walter wei william wolfgang yuki";

/// How surely a text is the name of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    /// As many words could be.
    Form,
    /// Alone, wherever it stands.
    Alone,
}

/// Whether the text is the name of a person by more than its surname; none when it is not.
pub(super) fn person(text: &str) -> Option<Sure> {
    match name_form(text.as_bytes())? {
        NameForm::Surname => han(text),
        NameForm::Dotted => Some(Sure::Form),
        NameForm::Latin => is_latin(text).then_some(Sure::Form),
        NameForm::Han => None,
    }
}

fn han(text: &str) -> Option<Sure> {
    let surname = is_surname(text.as_bytes())?;
    let (family, given) = (text.chars().next()?, text.chars().skip(surname));
    let telling = surname == 2 || TELLING_SURNAMES.contains(family);
    let all = |list: &str| given.clone().all(|character| list.contains(character));
    match given.clone().count() {
        1 if telling && surname == 1 && all(ALONE) => Some(Sure::Alone),
        2 if telling && all(TELLING) => Some(Sure::Alone),
        1 => all(TELLING).then_some(Sure::Form),
        _ => all(GIVEN).then_some(Sure::Form),
    }
}

/// Two or three words, the first a given name.
fn is_latin(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let first = words[0].to_ascii_lowercase();
    (2..=3).contains(&words.len())
        && words.iter().all(|word| word.starts_with(char::is_uppercase))
        && LATIN.split(' ').any(|name| name == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons() {
        for text in ["张伟", "王芳", "李建国", "欧阳静怡", "刘子涵", "陈秀兰"] {
            assert_eq!(person(text), Some(Sure::Alone), "{text}");
        }
        for text in ["高明", "黄海", "John Smith", "Maria da Silva", "金华", "买买提·艾力"] {
            let expected = if text == "Maria da Silva" { None } else { Some(Sure::Form) };
            assert_eq!(person(text), expected, "{text}");
        }
        for text in ["姓名", "时间", "单价", "方法", "金额", "First Name", "高度", "北京", "毛重", "安全"] {
            assert_eq!(person(text), None, "{text}");
        }
    }
}
