//! Characters with which given names are made (名): what tells the name of a person from a word that begins with a surname.

use super::surname::{Set, holds, set};

/// Characters of given names, the frequent ones of all generations. Words are made of some of them too: alone they prove nothing.
const GIVEN: &str = "\
伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英兰华玉红梅建国志文海林云龙飞鹏鑫波斌辉宇浩晨阳佳雪婷慧颖琳璐莹洁欣怡妍萱涵梓轩子睿博晓东春燕凤\
珍琴萍莉玲菊珠翠雅芝竹荣爱香月莺媛瑞凡倩雨桐思雯嘉昊天瀚泽俊豪毅恒锋峰永健世广义良仁宁贵福生元胜学祥才武新利清富顺信树炎德泰盛雄琛钧冠策腾楠\
榕风航弘立诚先敬震振壮群邦承乐绍功松善厚庆民友裕哲江亮谦亨奇翰朗伯宏若鸣朋梁栋维启克伦翔旭炳钢坤瑜琪瑶瑾琼瑛璇珊珂玥诗语彤晴岚芸苗芷婉娴馨悦\
蕾菲薇蓉露茜荷枝黛青娅姣姝嫣卉茹育娇妮晶茵丹冰爽琬羽希绮蓓荔滢筠柔凝仪纯毓昭伊亚宜舒熙皓煜烨炫炜焕灿烁曦昕昱晟晖景星辰宸霖霆雷森彬柏桦梧楷棋\
樱沐沛沁泓泉洪津淇淑淳渊湘源溪潇澜澄灵焱然煊熠玺珏珑琦琨琰瑄璋璟畅皎盈睦知硕祎祺禄禹秋笑筱素紫绪绣缘美翎翊耀聪胤致舟艺艾苏苒茂茗荃莎菁菡萌蔚\
蕴虹蝶衡诺谊豫贝贤赫跃达远逸逢遥郁郡钊钰铃铭铮锐锦镇雁霏靖韬韵韶颂颢飒骁骏骞魁鸿鹤麒麟黎默齐彪彦忠孝培基宗宝尚山岩崇川巧帆康延廷念恩悟惠意成\
敦斯朝桃楚欢正沙洲济润深满滨火炯玮琅璨申百石礼秉章笛纹罡翼聿臣苹蒙藩虎西誉豆贞进连通道遂金钦铁银锡长门闯阿陵隆驰鲲鹰丁万丰久乔二仲任伍佩依俐\
俭保修倍偲储傲儒兆光兴典冬净凌凯函刘初加励劲勤升卓卫厉双叶吉君吟周品唯喜固圆圣均坚城堂声夏大奕好如妙姗姿娣婕孟宛安定宾容宽密寅寿小少尔尧展峻\
岭巍左巩州巨帅常幸幼庭开弟张彰影彩微心怀怿恺情愉愿慈懿懋戈戎扬抒拓捷接敖斐斗方日旺昂昆昌易显晋普智曼服杨果柯柱柳栩根格桓桑椿模欧步殊比毛汉汐\
沅沈泳流浚浪涌淼渝游湛漪漫潘潮澍濂烈焰熊牛牧献玄王玫珈珺球理璧用甜田男留登白益盼直眉瞳矜祁祖禾秦稳穆端竞笃筝箫粤精绵绿罗羚羲老耘聚肃胡腊自舜\
芊芙芬芮苑草荀莲莳菀葆葳蓬蔓蕊薪藏蘅虞行裳诠询谅谨越轶轲边迅迎迪遇邈郎铎铸键镕闻际霄飏馥驹魏黄\
";

/// Characters that words seldom end with, behind a surname.
const TELLING: &str = "\
伟芳娜敏静丽磊勇艳杰娟涛霞刚秀兰英琳婷慧颖佳鑫鹏斌辉浩宇欣怡洁莹萍莉玲燕凤珍琴倩琪瑶轩涵睿俊豪建军峰雯妍萱梓媛晓志国明华玉红梅文海林云龙飞超强平桂\
波晨阳雪博子雅芝荣雨桐思嘉昊天瀚泽毅锋永世德胜学祥武庆民哲江亮宏翔旭坤瑜瑾珊玥诗彤晴芸婉馨悦蕾菲薇蓉茜娇晶丹昕晟宸霖彬沐淑溪然琦硕祺聪茂贤逸铭锐锦\
靖韵骏鸿麟彦忠宝康惠正成春东洋香月瑞凡恒健福生良仁宁贵元新清富顺树雄乐松善裕栋维";

/// Frequent surnames with which few words begin.
const TELLING_SURNAMES: &str =
    "王李张刘陈杨赵周徐孙朱胡郭罗郑梁谢宋唐韩冯邓曹彭曾肖董袁潘蒋蔡杜苏魏吕姚卢姜崔谭汪范廖贾韦傅薛邹孟熊秦邱尹侯陶贺郝龚邵吴";

/// Surnames that are words, or parts of many words, more often.
const SELDOM: &str = "由与和对高于何能那都相但干后终公从应和时同支关经常成全万方白金安平文明易车马包连路乐单元向有水山东西南北双权利信满米初云容来位区海门银玉宣原居查商国阳游景季项计索党农牧";

pub(super) static GIVENS: Set = set(GIVEN, 3);
pub(super) static TELLINGS: Set = set(TELLING, 3);
static TELLING_FAMILIES: Set = set(TELLING_SURNAMES, 3);
static SELDOM_FAMILIES: Set = set(SELDOM, 3);

/// How much a character speaks for the given name behind a surname: 2 where few words have it, 1, or 0 for others.
pub(crate) fn given_points(character: char) -> i32 {
    i32::from(holds(&TELLINGS, character)) + i32::from(holds(&GIVENS, character))
}

/// How much a surname speaks for a name: 2 where it is frequent and few words begin with it, -1 where it is a word more often.
pub(crate) fn surname_points(character: char) -> i32 {
    2 * i32::from(holds(&TELLING_FAMILIES, character)) - i32::from(holds(&SELDOM_FAMILIES, character))
}
