//! Names of persons in sentences that no word announces (姓名): weighed by surname, given characters, and what stands around them.
//!
//! ```text
//! 市民|王小明|反映     surname 王, given 小 and 明, behind a role, before a verb of speaking
//! 于是|任何|人         a surname and a character, but a word of the language: nothing
//! ```
//! A candidate takes points for each sign, and counts from [`LEAST`] on. Words of the language that begin with a surname stand in a
//! list; what is not in it needs signs on both sides.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::check;

/// Points from which a candidate is a name. With one fewer, words such as `林海` between commas are names.
const LEAST: i32 = 6;

/// What only a person is called by: behind the name.
const TITLES: &str = "\
先生 女士 小姐 太太 夫人 同志 同学 老师 医生 大夫 护士 教授 博士 主任 经理 总经理 局长 科长 处长 \
院长 校长 部长 厅长 市长 县长 镇长 村长 书记 主席 主管 总监 董事长 警官 民警 法官 律师 会计 师傅 \
阿姨 叔叔 大爷 大妈 奶奶 爷爷 队长 组长 班长 记者 工程师 委员 夫妇 院士 研究员 检察官 司机 店长 老板 \
大姐 大哥 伯伯 婆婆 教练 船长 机长 站长 所长 馆长 秘书 助理 顾问 技师 药师 副教授 副主任 副局长 \
副院长 副经理 将军 上校 班主任 辅导员 护士长";

/// What persons do by speaking: behind the name.
const SPEAKING: &str = "\
反映 表示 说 称 来电 投诉 认为 告诉 介绍 提出 要求 申请 咨询 询问 建议 希望 指出 强调 回忆 透露 \
坦言 补充 报案 报警 求助 举报 致电 来信 留言 回复 承认 否认 解释 答复 诉称 辩称 陈述 抱怨 询价 道歉 \
签字 签名 签收 签署 拨打 打来 打电话 自述 主诉 表态";

/// What else stands behind a name.
const BEHIND: &str = "\
于 因 在 到 去 来 已 是 向 和 与 跟 对 将 把 被 给 让 的 也 都 就 又 并 还 从 由 为 等 及 \
或 未 没 不 有 要 想 曾 正 出生 生于 住 家住 现住 现年 今年 男 女 电话 手机 身份 联系 地址 本人 \
购买 办理 参加 负责 担任 发现 收到 前往 带 拿 写 做 买 卖 送 取 看 见 听 当 作为 今天 昨天 明天 \
上午 下午 晚上 中午 凌晨 两 名下 账户 卡号 银行 邮箱 微信 性别 年龄 户籍 护照 证件 订单 代 替 同 \
获 任 毕业 入职 离职 入院 出院 就诊 患 服用 驾驶 乘坐 入住 租 借 欠 还款 付款 转账 汇 支付 领取 \
提交 完成 主持 出席 率 陪 接 找 请 使用 需要 开 用 能 会 可 仍 再 才 刚 突然 独自 一家 一行 \
以及 手持 丢失 遗失 报名 签到 打 走 站 坐 喜欢 获得 同意 拒绝 接受 通过 委托 授权 代表 拥有 持有 \
其 即 则 且 系 约 均 共 一 二 三 四 五 六 七 八 九 及其 先 后 等人 家 尽快 通知 牵头 导演 \
离婚 结婚 拖欠 拜访 采访 提供 存入 摔 受伤 死亡 去世 逝世 身高 体重 体温 血压 诊断 复诊 随访 自称 \
打算 决定 准备 开始 负伤 违反 违章 闯 醉酒 酒后 涉嫌 盗窃 诈骗 殴打 骑 开车 驾车 饰演 出演 主演 \
演唱 唱 跳 跑 起诉 上诉 胜诉 败诉 缺席 缺考 迟到 早退 请假 旷课 住院 体检 手术 过敏 怀孕 分娩 身体 \
家中 家属 家里 微信号 账号 工号 学号 先后";

/// Who is called by a name: right before it.
const ROLES: &str = "\
市民 居民 村民 住户 业主 租户 租客 房东 员工 职工 工人 司机 乘客 旅客 游客 顾客 客户 用户 学生 同学 \
老师 教师 医生 护士 患者 病人 家属 家长 老人 儿童 孩子 男子 女子 男孩 女孩 青年 经理 主任 局长 科长 \
处长 院长 校长 书记 主席 律师 法官 警官 民警 记者 队长 组长 班长 教授 博士 工程师 会计 出纳 店主 \
店长 老板 同事 朋友 好友 邻居 亲属 父亲 母亲 妻子 丈夫 儿子 女儿 哥哥 姐姐 弟弟 妹妹 爷爷 奶奶 \
嫌疑人 被告 原告 证人 受害人 志愿者 干部 党员 代表 委员 社工 快递员 外卖员 保安 保洁 网格员 工作人员 \
负责人 当事人 联系人 申请人 经办人 会员 客服 秘书 助理 总监 董事长 总经理 车主 户主 股东 职员 导演 \
演员 歌手 作家 诗人 运动员 教练 队员 选手 法人 姓名 名叫 我叫 叫做 女士 先生 同志 师傅 购票人 收货人 \
收件人 寄件人 投诉人 举报人 监护人 借款人 担保人 其子 其女 其父 其母 其妻 其夫 持卡人 读者 店员 医师 \
药师 技师 驾驶员 乘务员 售货员 营业员 业务员 程序员 研究员 检察官 审判长 书记员 副主任 副局长 副院长 \
副经理 收款人 付款人 汇款人 户名 房东叫 名字叫";

/// What else stands right before a name.
const BEFORE: &str = "\
由 与 和 跟 同 向 对 给 找 请 被 将 把 是 叫 让 为 及 或 问 告知 通知 联系 转告 委托 采访 \
表扬 感谢 投诉 举报 询问 陪同 协助 接到 经 据 今天 昨天 明天 上午 下午 晚上 中午 凌晨 日前 近日 \
目前 随后 其中 称 帮 替 代 等 以及 陪 见 见到 遇到 看到 听 听说 带 送 送给 交给 寄给 转给 汇给 \
借给 还给 发给 打给 致电 拜访 邀请 认识 认定 介绍 录用 聘请 任命 选举 转账给 签收人 接待 看望 祝 \
祝贺 尊敬的 亲爱的 故 我是 本人 他是 她是 名为 抄送 主送 授权 支持 了 着 的 接 会上";

/// Words of the language that begin with a surname, by their first two characters.
const WORDS: &str = "\
高兴 高度 高中 高峰 高温 高速 高新 高铁 高校 高质 高级 高层 高压 高低 高达 明天 明年 明显 明确 明白 \
明细 明星 时候 时间 时期 时代 时光 时长 方法 方便 方向 方式 方案 方面 方圆 任务 任何 任意 任职 何时 \
何处 何况 何必 何种 成立 成长 成为 成功 成本 成都 成果 成员 成绩 成品 成人 成年 成交 成熟 文明 文化 \
文章 文件 文字 文本 文艺 文学 文玉 安全 安装 安静 安康 安排 安徽 安心 安置 安宁 平安 平时 平台 平均 \
平方 平衡 平静 平等 平米 平凡 平常 和平 和谐 和好 金融 金额 金华 金属 金牌 金山 金色 江苏 江南 江西 \
江海 江边 江北 江东 江宁 江门 海南 海洋 云南 云海 云端 云计 广州 广东 广西 广场 广告 广大 于是 于今 \
万一 万元 万里 万事 温度 温州 温暖 温馨 温和 张家 张贴 张开 张江 王府 王国 王子 王者 王朝 李子 刘海 \
陈述 陈列 陈旧 陈设 陈年 杨树 杨梅 杨浦 杨柳 黄金 黄河 黄山 黄海 黄浦 黄色 黄石 黄冈 黄昏 赵县 赵州 \
周边 周围 周一 周二 周三 周四 周五 周六 周日 周末 周期 周年 周到 周转 周长 周口 周全 周密 徐州 徐汇 \
徐徐 孙子 孙女 马上 马路 马力 马达 马桶 马来 马克 朱红 胡同 胡子 胡萝 胡说 林业 林地 林木 林区 林立 \
罗湖 罗列 罗马 罗兰 郑州 郑重 谢谢 谢绝 谢意 唐山 唐代 唐朝 许可 许多 许久 许昌 许诺 许愿 韩国 韩语 \
曾经 曾任 曾在 曾有 曾是 肖像 田地 田野 田园 田径 董事 余额 余下 余款 余姚 余杭 杜绝 叶子 程序 程度 \
程式 苏州 苏打 苏联 苏醒 沈阳 钟头 钟点 钟表 钟楼 陆续 陆地 陆家 陆军 范围 范本 范例 石油 石头 石家 \
石景 石材 夏天 夏季 夏令 夏日 付款 付费 付出 付清 付息 白天 白色 白云 白领 白酒 白银 段落 雷电 雷雨 \
雷达 龙头 龙岗 龙华 龙岩 龙泉 史料 史上 陶瓷 陶器 黎明 顾客 顾问 顾虑 毛病 毛巾 毛衣 钱款 钱包 钱币 \
严重 严格 严厉 严禁 严肃 武汉 武器 武警 武装 武清 莫名 莫斯 向上 向东 向西 向南 向北 向前 汤圆 常常 \
常用 常见 常住 常州 常规 常熟 常德 康复 康养 施工 施行 施肥 牛奶 牛肉 包括 包裹 包装 包含 包间 包子 \
车辆 车站 车主 车位 车牌 车间 车票 车上 全部 全国 全面 全体 单位 单元 单价 单独 应当 应该 应急 应用 \
应收 应付 应对 房屋 房间 房子 房产 房东 房租 党员 党委 党支 路灯 路口 路面 路段 路上 路边 关于 关系 \
关注 关闭 关心 管理 管道 管家 左右 左边 南京 南宁 南昌 南山 南通 南海 花园 花费 花店 花卉 花生 宁波 \
宁夏 宁静 宁愿 甘肃 甘愿 甘露 祝福 祝贺 祝愿 古代 古城 古典 古迹 易于 易燃 易碎 乐园 乐器 乐意 丰富 \
丰台 丰收 丰田 景区 景色 景点 景德 司法 司机 司令 司徒 党政 柳州 柳树 梅花 梅雨 梅州 童年 童话 童装 \
盛大 盛开 盛行 路线 路程 路过 席位 季度 季节 贾汪 强制 强调 强烈 强大 强度 强行 纪念 纪律 纪录 纪检 \
项目 项链 屈服 柴油 柴火 裴多 凌晨 凌乱 霍乱 支付 支持 支出 支行 支部 支队 支撑 卫生 卫星 卫浴 边界 \
边境 边缘 牧场 牧民 农民 农村 农业 农户 农田 麦当 麦克 简单 简历 简介 简称 连续 连接 连锁 连云 游客 \
游泳 游戏 阳光 阳台 阳泉 阳性 商业 商品 商店 商户 商家 商场 商量 商务 国家 国内 国际 国庆 国有 国道 \
国防 公司 公里 公安 公交 公寓 公园 公共 公告 公示 公开 公务 公民 公众 公平 公积 公式 公正 利用 利息 \
利率 利润 利益 信用 信息 信任 信件 信号 信箱 权利 权益 权限 满意 满足 满分 满载 米饭 米粉 伏特 初步 \
初中 初始 初级 初期 晋级 晋升 晋江 晋中 闻名 巴士 巴黎 巴西 元素 元旦 元宵 都是 都有 都会 都市 那里 \
那么 那些 那个 那边 那天 能够 能力 能源 能量 能否 但是 干净 干部 干扰 干燥 后来 后续 后面 后期 后天 \
相关 相信 相同 相机 相对 相应 相比 况且 权威 查询 查看 查明 查处 查收 查找 容易 容量 容器 宣传 宣布 \
宣告 索赔 索要 索取 计划 计算 计费 计时 计量 原因 原来 原告 原件 原则 原有 原价 栗子 居民 居住 居委 \
居家 揭示 呼叫 呼吸 呼吁 冶金 斯里 束缚 展示 展览 展开 展厅 植物 植树 富裕 富有 富强 富阳 益处 步行 \
步骤 步入 山东 山西 山区 山路 谷物 谷歌 巨大 巨额 暨南 双方 双倍 双休 双人 双向 劳动 劳务 劳保 扶贫 \
扶梯 扶手 终于 终止 终端 终身 居然 耿直 充值 充电 充分 充足 红色 红包 红绿 红木 竺可 游览 盖章 盖子 \
后果 有关 有效 有限 有人 有些 有时 有无 有利 督促 督导 督办 岳阳 帅气 琴键 刑事 刑警 刑法 付给 代理 \
代表 代码 代替 代办 代收 池塘 池州 麻烦 麻醉 苑区 迟到 迟迟 官方 官网 官员 封闭 封面 封控 谈话 谈判 \
谈到 鞠躬 惠州 惠民 惠及 荆州 冀州 郁闷 胥江 储蓄 储存 储备 储值 原定 燕子 燕麦 燕山 楚雄 粟米 楼上 \
楼下 楼道 楼梯 楼房 楼盘 楼层 盘点 盘活 满洲 闻讯 位于 位置 位居 厉害 区别 区域 区间 区分 海边 海关 \
海淀 海口 海外 海鲜 海报 海尔 权衡 强化 帅哥 屠宰 豆腐 豆浆 朴素 练习 练车 井盖 井下 祖国 祖父 祖母 \
祖籍 漆面 丰满 卿卿 狄更 平顶 宣城 晋城 初一 初三 门口 门诊 门票 门店 门锁 门卫 门窗 云服 云平 容积 \
来电 来自 来源 来访 来信 来到 扈从 银行 银川 银联 银杏 玉米 玉林 玉石 哈尔 宾馆 宾客 戎装 勾选 茅台 \
利害 居多 战士 战略 战斗 危险 危害 危机 慕名 阿里 阿姨 乌鲁 乌海 母亲 母婴 裘皮 修理 修改 修复 修建 \
杭州 那时 宿舍 宿迁 鲜花 鲜艳 鲜奶 印刷 印章 印象 印度 隆重 诺言 钟情 习惯 习近 艾滋 鱼类 鱼塘 古镇 \
施救 何人 孔子 孔雀 孟子 孟加 孟买 项圈 祝您 卓越 常务 汪洋 华为 华北 华东 华南 华夏 华丽 华侨 鲁班 \
葛根 邢台 齐全 齐齐 康熙 康师 伍佰 尚未 尚可 符合 符号 舒适 舒服 成效 谷雨 唐诗 唐装 宋代 宋朝 宋体 \
韩剧 韩元 谢幕 陈皮 陈醋 姜汤 姜茶 苏菲 江湖 江山 江水 江河 孟春 秦岭 秦皇 秦朝 汪汪 贺卡 贺信 潘多 \
薛定 邱县 邹城 崔嵬 魏国 吴江 吴中 吴语 吴兴 陶艺 邓州 曹操 曹县 冯家 彭州 彭水 廖化 姚江 谭木 范县 \
韦氏 傅立 侯门 郝家 龚滩 邵阳 邵武 尹始 袁州 蒋家 蔡甸 杜鹃 徐家 李家 王家 刘家 陈家 杨家 赵家 周家 \
孙家 朱家 郭家 罗家 郑家 梁家 谢家 宋家 唐家 韩家";

/// Where a name that begins at a byte ends, unless there is none.
pub(super) fn end(text: &str, at: usize) -> Option<usize> {
    // Most characters that are surnames begin no name, which what is behind them says first.
    let given = text[at..].chars().skip(check::is_surname(&text.as_bytes()[at..])?).take(2);
    if given.map(check::given_points).sum::<i32>() == 0 {
        return None;
    }
    let found = best(text, at).filter(|found| found.points >= LEAST)?;
    // `感谢胡雪医生`: of two that overlap the later one, unless the first is likelier.
    let next = at + text[at..].chars().next()?.len_utf8();
    let later = best(text, next).is_some_and(|later| later.points >= LEAST && later.compared >= found.compared);
    (!later).then_some(found.end)
}

/// Where the name that begins a text ends, of which a word has said that it is one; none where it begins with no surname.
pub(super) fn announced_end(rest: &str) -> Option<usize> {
    best(rest, 0).map(|found| found.end)
}

/// What may be a name.
struct Candidate {
    points: i32,
    /// The points by which it is compared with others: behind the right one stands what is known.
    compared: i32,
    end: usize,
}

/// The likelier one of the names with one and with two given characters, the longer one where both are as likely.
fn best(text: &str, at: usize) -> Option<Candidate> {
    let rest = &text[at..];
    let surname = check::is_surname(rest.as_bytes())?;
    let characters: Vec<(usize, char)> = rest.char_indices().take(surname + 3).collect();
    let behind = |count: usize| characters.get(count).map_or(rest.len(), |(at, _)| *at);
    let first = characters.first()?.1;
    // `张先生`, `王主任`: a surname alone, which many have.
    if TITLED.begin(&rest[behind(surname)..]) {
        return None;
    }
    let before = Before::of(&text[..at], first);
    let family = if surname == 2 { 3 } else { check::surname_points(first) };
    let is_word = surname == 1 && LANGUAGE.begin(rest);
    let candidate = |given: usize| {
        let end = behind(surname + given);
        let taken = characters.get(surname..surname + given)?;
        let given_points: i32 =
            taken.iter().enumerate().map(|(at, (_, character))| of_given(*character, given - at)).sum::<Option<i32>>()?;
        let after = After::of(&rest[end..]);
        let word = if is_word && !after.is_title { -8 } else { 0 };
        let family = if after.is_title { family.max(0) } else { family };
        let points = before.points + family + given_points + word - i32::from(given == 1);
        // Behind a role a name is expected, whatever follows.
        let expected = if before.is_role { after.points.max(0) } else { after.points };
        Some(Candidate { points: points + expected, compared: points + after.points, end: at + end })
    };
    [1, 2].into_iter().filter_map(candidate).max_by_key(|candidate| (candidate.compared, candidate.end))
}

/// What stands before a name.
struct Before {
    points: i32,
    is_role: bool,
}

impl Before {
    /// Before a name that begins with this character.
    fn of(text: &str, first: char) -> Self {
        let is_role = CALLED.end(text);
        let points = match text.chars().next_back() {
            _ if is_role => 4,
            None => 2,
            Some(character) if !is_han(character) => 2,
            // `感谢`, `老师`: the character ends such a word.
            Some(character) if CALLED.has([character, first]) || PRECEDED.has([character, first]) => -4,
            Some(_) if PRECEDED.end(text) => 2,
            Some(_) => -1,
        };
        Self { points, is_role }
    }
}

/// What stands behind a name.
struct After {
    points: i32,
    is_title: bool,
}

impl After {
    fn of(rest: &str) -> Self {
        let is_title = TITLED.begin(rest);
        let points = match rest.chars().next() {
            _ if is_title => 6,
            None => 2,
            // A telephone or an id right behind.
            Some(character) if character.is_ascii_digit() => 3,
            Some(character) if !is_han(character) => 2,
            Some(_) if SPOKEN.begin(rest) => 4,
            Some(_) if FOLLOWED.begin(rest) => 2,
            Some(_) => -2,
        };
        Self { points, is_title }
    }
}

/// None for what no name has: punctuation, digits, letters. `left` counts the given characters from here on.
fn of_given(character: char, left: usize) -> Option<i32> {
    match check::given_points(character) {
        _ if !is_han(character) => None,
        // `一诺`, `家豪`: never at the end.
        0 if matches!(character, '一' | '家') && left == 2 => Some(1),
        0 => Some(-3),
        // `和王主任`: another surname rather.
        1 if check::surname_points(character) == 2 => None,
        points => Some(points),
    }
}

/// Words by the character with which they begin, or end.
struct Words(HashMap<char, Vec<&'static str>>);

impl Words {
    fn by(words: &'static str, character: fn(&str) -> Option<char>) -> Self {
        let mut all: HashMap<char, Vec<&str>> = HashMap::new();
        for word in words.split(' ') {
            all.entry(character(word).unwrap_or(' ')).or_default().push(word);
        }
        Self(all)
    }

    fn by_first(words: &'static str) -> Self {
        Self::by(words, |word| word.chars().next())
    }

    fn by_last(words: &'static str) -> Self {
        Self::by(words, |word| word.chars().next_back())
    }

    fn begin(&self, text: &str) -> bool {
        let words = text.chars().next().and_then(|first| self.0.get(&first));
        words.is_some_and(|words| words.iter().any(|word| text.starts_with(word)))
    }

    fn end(&self, text: &str) -> bool {
        let words = text.chars().next_back().and_then(|last| self.0.get(&last));
        words.is_some_and(|words| words.iter().any(|word| text.ends_with(word)))
    }

    /// Whether one of them is these two characters; they are sorted by the last.
    fn has(&self, word: [char; 2]) -> bool {
        self.0.get(&word[1]).is_some_and(|words| words.iter().any(|known| known.chars().eq(word)))
    }
}

static TITLED: LazyLock<Words> = LazyLock::new(|| Words::by_first(TITLES));
static SPOKEN: LazyLock<Words> = LazyLock::new(|| Words::by_first(SPEAKING));
static FOLLOWED: LazyLock<Words> = LazyLock::new(|| Words::by_first(BEHIND));
static LANGUAGE: LazyLock<Words> = LazyLock::new(|| Words::by_first(WORDS));
static CALLED: LazyLock<Words> = LazyLock::new(|| Words::by_last(ROLES));
static PRECEDED: LazyLock<Words> = LazyLock::new(|| Words::by_last(BEFORE));

fn is_han(character: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&character)
}

/// Forms of address before names in Latin letters.
const ADDRESSED: [&str; 12] = ["mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "madam", "herr", "frau", "mx"];

/// `Mr. John Smith`, `my name is Mary Jones`: where the name begins and ends, whose form of address (or whose first word, behind
/// words that announce it) is the word here.
pub(super) fn latin(bytes: &[u8], at: usize, end: usize) -> Option<(usize, usize)> {
    let word = &bytes[at..end];
    if ADDRESSED.iter().any(|title| title.as_bytes().eq_ignore_ascii_case(word)) && word[0].is_ascii_uppercase() {
        let dot = end + usize::from(bytes.get(end) == Some(&b'.'));
        let from = dot + usize::from(bytes.get(dot) == Some(&b' '));
        return (from > end).then(|| capitalised(bytes, from)).flatten().map(|end| (from, end));
    }
    let announced =
        word[0].is_ascii_uppercase() && super::is_announced(bytes, at, &["name is", "name", "named", "called", "contact", "patient"]);
    announced.then(|| capitalised(bytes, at)).flatten().filter(|&to| to > end).map(|end| (at, end))
}

/// No part of a name is so long; of a longer run nothing is read again and again.
const LATIN_BYTES_MAX: usize = 48;

/// Behind one to three words of letters with a capital each.
fn capitalised(bytes: &[u8], from: usize) -> Option<usize> {
    let (mut at, mut end) = (from, None);
    for _ in 0..3 {
        if !bytes.get(at).is_some_and(u8::is_ascii_uppercase) {
            break;
        }
        let letter = |byte: &&u8| byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'-' | 0x80..=0xbf | 0xc3..=0xc5);
        let length = bytes[at..].iter().take(LATIN_BYTES_MAX).take_while(letter).count();
        if length == LATIN_BYTES_MAX {
            return None;
        }
        // `J.` is an initial; a word in capitals alone is none of a name in a sentence.
        let initial = length == 1 && bytes.get(at + 1) == Some(&b'.');
        let lower = bytes[at + 1..at + length].iter().any(|byte| !byte.is_ascii_uppercase());
        if !initial && !lower || bytes.get(at + length).is_some_and(u8::is_ascii_digit) {
            break;
        }
        if !initial {
            end = Some(at + length);
        }
        at += length + usize::from(initial);
        if bytes.get(at) != Some(&b' ') {
            break;
        }
        at += 1;
    }
    end
}
